"""Lists in a real Label Studio: label errors, what to label next, what to look at again, and a blind sample.

Day and night are told from real pictures; some labels are wrong on purpose. Pictures are named by their path.
"""

from __future__ import annotations

import csv
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.results import choices
from espalier.jobs import automated, lists
from espalier.jobs.house import House
from espalier.jobs.progress import Progress, Requeue
from espalier.settings import Settings
from espalier.store.rows import Project, Revisit

CONFIG = """<View><Image name="image" value="$image"/>
<Choices name="when" toName="image" choice="single"><Choice value="day"/><Choice value="night"/></Choices></View>"""
LABELED, FLIPPED = 100, 6


@dataclass
class DayAndNight:
    """The first 100 tasks are labeled, the flipped ones wrongly. truth is of every task."""

    label_studio: Any
    backend: Any
    id: int
    truth: dict[int, str]
    flipped: set[int]

    @property
    def tasks(self) -> list[int]:
        return list(self.truth)

    def write(self, *arguments: str) -> tuple[str, str]:
        """`espalier errors 1 --write`: the list's id and its version's name."""
        found = re.search(r"run (\w+) writes as ([\w-]+);", self.backend.espalier(*arguments, "--write"))
        assert found
        return found[1], found[2]

    def sorted_by_score(self) -> list[dict[str, Any]]:
        """The Data Manager's list, prediction score ascending, as a click on the column sorts it."""
        self.label_studio.request("GET", f"/api/ml?project={self.id}")  # as every page does: it asks /setup
        wanted = {
            "project": self.id,
            "page_size": 500,
            "fields": "all",
            "query": json.dumps({"ordering": ["tasks:predictions_score"]}),
        }
        listed: list[dict[str, Any]] = self.label_studio.request("GET", "/api/tasks", params=wanted)["tasks"]
        return listed

    def predictions(self, task: int, version: str) -> list[dict[str, Any]]:
        found = self.label_studio.request("GET", f"/api/predictions?task={task}")
        return [one for one in found if one["model_version"] == version]

    def versions(self) -> dict[str, int]:
        found: dict[str, int] = self.label_studio.request("GET", f"/api/projects/{self.id}/model-versions")
        return found

    def annotations(self) -> list[tuple[int, Any]]:
        """Ids and results."""
        listed = self.label_studio.request("GET", f"/api/tasks?project={self.id}&page_size=500&fields=all")["tasks"]
        return sorted((one["id"], one["result"]) for task in listed for one in task["annotations"])


@pytest.fixture(scope="module")
def project(label_studio: Any, start_backend: Any, shared: Callable[[str], Path]) -> Iterator[DayAndNight]:
    pictures = shared("data/images/day_night")
    with (pictures / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    random.Random(0).shuffle(rows)
    rows = rows[:160]
    made = label_studio.project(CONFIG, "Day and night", sampling="Uncertainty sampling")
    flipped = set(random.Random(1).sample(range(LABELED), FLIPPED))
    other = {"day": "night", "night": "day"}
    labeled = [
        {"annotations": [{"result": choices("image", {"when": other[row["label"]] if n in flipped else row["label"]})}]}
        for n, row in enumerate(rows[:LABELED])
    ] + [{}] * (len(rows) - LABELED)
    tasks = label_studio.import_tasks(
        made["id"],
        [{"data": {"image": str(pictures / row["filename"])}, **more} for row, more in zip(rows, labeled, strict=True)],
    )
    settings = {"ESPALIER_ENCODER": "classic", "ESPALIER_MEDIA_ROOTS": str(pictures)}
    with start_backend(**settings) as backend:
        label_studio.connect(made["id"], backend.url)
        backend.learned(made, LABELED)
        truth = {task: row["label"] for task, row in zip(tasks, rows, strict=True)}
        yield DayAndNight(label_studio, backend, made["id"], truth, {tasks[n] for n in flipped})


def test_flipped_labels_come_first_where_people_sort_by_score(project: DayAndNight) -> None:
    before = project.annotations()
    run, version = project.write("errors", str(project.id), "--count", "20")
    first = project.sorted_by_score()[:FLIPPED]
    found = {task["id"] for task in first} & project.flipped
    assert len(found) >= FLIPPED - 1, f"{len(found)} of {FLIPPED} flipped labels come first"
    scores = []
    for task in found:
        (prediction,) = project.predictions(task, version)
        assert prediction["result"][0]["value"]["choices"] == [project.truth[task]], "what the model would say"
        assert prediction["mislabeling"] == pytest.approx(1 - prediction["score"], abs=1e-5)
        assert prediction["mislabeling"] > 0.5
        assert isinstance(prediction["cluster"], int)
        assert prediction["neighbors"]
        assert set(prediction["neighbors"]) <= set(project.tasks) - {task}
        scores.append(prediction["score"])
    assert project.versions()[version] <= 20
    assert project.backend.espalier("runs", str(project.id)).splitlines()[0].split()[0] == run

    mended = min(project.flipped)
    (annotation,) = project.label_studio.request("GET", f"/api/tasks/{mended}")["annotations"]
    project.label_studio.request(
        "PATCH", f"/api/annotations/{annotation['id']}", {"result": choices("image", {"when": project.truth[mended]})}
    )
    wait_for_version(project, "espalier-v2")
    assert project.sorted_by_score()[0]["id"] in project.flipped, "the list outlives the training that it causes"
    assert f"task {mended} " not in project.backend.espalier("errors", str(project.id), "--count", "5")
    project.label_studio.request("PATCH", f"/api/annotations/{annotation['id']}", {"result": annotation["result"]})
    wait_for_version(project, "espalier-v3")

    assert "deleted" in project.backend.espalier("undo", run)
    assert version not in {name for name, count in project.versions().items() if count}
    assert project.annotations() == before, "no annotation was touched"


def wait_for_version(project: DayAndNight, name: str) -> None:
    house, known = kept(project)
    for _ in range(300):
        if house.records.version(known.key, name):
            return
        time.sleep(0.2)
    pytest.fail(f"{name} never came: {project.backend.log.read_text()[-3000:]}")


def kept(project: DayAndNight) -> tuple[House, Project]:
    """What the backend keeps of the project."""
    house = House(Settings.read(project.backend.environment))
    return house, next(row for row in house.records.projects() if row.id == project.id)


def test_label_studio_hands_out_what_to_label_next(project: DayAndNight) -> None:
    house, known = kept(project)
    old = automated.execute(house, lists.plan(house, known.key, "next", 5).id, Progress()).version
    run, version = project.write("next", str(project.id), "--count", "12")
    assert project.versions().get(old, 0) == 0, "the list before it is replaced"
    listed = [task for task in project.sorted_by_score() if project.predictions(task["id"], version)]
    assert len(listed) == 12
    assert not any(task["annotations"] for task in listed)
    scores = {task["id"]: project.predictions(task["id"], version)[0]["score"] for task in listed}
    assert [task["id"] for task in listed] == sorted(scores, key=lambda task: scores[task])
    following = project.label_studio.request("GET", f"/api/projects/{project.id}/next")
    assert following["id"] == listed[0]["id"], "uncertainty sampling"
    assert following["queue"] == "Active learning or random queue"
    assert following["predictions"][0]["model_version"] == version
    printed = json.loads(project.backend.espalier("next", str(project.id), "--count", "12", "--json"))
    assert [entry["task_id"] for entry in printed["entries"]] == [task["id"] for task in listed], "as it was written"
    assert printed["entries"][0]["link"].endswith(f"/projects/{project.id}/data?task={listed[0]['id']}")
    automated.undo(house, run)
    assert project.label_studio.request("GET", f"/api/projects/{project.id}")["model_version"] == "Espalier"


class Interrupted(Progress):
    """The worker is stopped before it writes the second part of a list."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = 0

    def make_way(self) -> None:
        self.parts += 1
        if self.parts == 2:
            raise Requeue("this worker is being stopped")


def test_a_list_that_was_interrupted_is_written_to_its_end_and_nothing_twice(project: DayAndNight) -> None:
    house, known = kept(project)
    run = lists.plan(house, known.key, "next", 30)
    with pytest.raises(Requeue):
        automated.execute(house, run.id, Interrupted())
    assert project.versions()[run.version] == 20
    states = house.records.run_items(run.id)
    house.records.set_run_items(run.id, dict.fromkeys(list(states)[:3], "writing"))  # killed before it was noted
    assert automated.execute(house, run.id, Progress()).state == "done"
    assert project.versions()[run.version] == 30
    listed = project.sorted_by_score()[:30]
    assert all(len(project.predictions(task["id"], run.version)) == 1 for task in listed)
    assert automated.undo(house, run.id) == 30


def test_answers_to_look_at_again_arrive(project: DayAndNight) -> None:
    house, known = kept(project)
    doubted = project.tasks[:3]
    now = datetime.now(timezone.utc)
    annotations = {one.task_id: one.id for one in house.records.annotations(known.key, doubted)}
    house.records.put_revisits(
        Revisit(known.key, task, annotations[task], "when", ("day",), "day was split", now) for task in doubted
    )
    run, version = project.write("errors", str(project.id), "--revisit")
    assert {task["id"] for task in project.sorted_by_score()[:3]} == set(doubted)
    for task in doubted:
        (prediction,) = project.predictions(task, version)
        assert prediction["result"], "what the model says"
        assert isinstance(prediction["cluster"], int)
    automated.undo(house, run)
    house.records.settle_revisits(known.key, task_ids=doubted)


def test_a_blind_sample_measures_the_run(project: DayAndNight) -> None:
    """Last, for it labels the rest."""
    id = str(project.id)
    written = project.backend.espalier("run", id, "--filter", "unlabeled", "--blind", "0.3", "--confidence", "0")
    assert "blind tasks are annotated so far" in written
    run, version = written.split()[1], written.split()[4].rstrip(";")
    blind = [task for task in project.tasks[LABELED:] if not project.predictions(task, version)]
    assert 6 <= len(blind) <= 30
    project.label_studio.action(project.id, "retrieve_tasks_predictions", blind)
    opened = project.label_studio.request("GET", f"/api/tasks/{blind[0]}?project={id}")
    assert opened["predictions"] == [], "nothing of it is shown"
    for task in blind[:5]:
        project.label_studio.annotate(task, choices("image", {"when": project.truth[task]}))
    house, known = kept(project)
    while len(house.records.annotations(known.key, blind)) < 5:  # by webhook
        time.sleep(0.1)
    told = project.backend.espalier("runs", id)
    assert f"5 of {len(blind)} blind tasks are annotated so far" in told
    found = re.search(r"blind sample: (\d) of 5 answers right, \d+ % \(\d+-\d+ %\)", told)
    assert found, told
    assert int(found[1]) >= 3
    automated.undo(house, run)
