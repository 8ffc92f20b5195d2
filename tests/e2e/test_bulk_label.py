"""Many frames get a label at once in a real Label Studio: as predictions, as annotations, killed, and taken back."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, Digit, write_digits, write_pan
from espalier.demo.results import choices, said, timeline
from espalier.jobs import automated, bulk_label, reviewing
from espalier.jobs.bulk_parameters import BulkParameters
from espalier.jobs.errands.doing import do
from espalier.jobs.house import House
from espalier.jobs.progress import Progress, Requeue
from espalier.labelstudio.transport import Transport
from espalier.settings import Settings
from espalier.store.rows import Prediction, Run

MANY, PEOPLE = 110, 4
SHOTS = 6
RUN = "espalier-v1-run1"


class Site:
    """A backend, and projects in the Label Studio that it is connected to."""

    def __init__(self, label_studio: Any, backend: Any) -> None:
        self.label_studio, self.backend = label_studio, backend

    @cached_property
    def house(self) -> House:
        return House(Settings.read(self.backend.environment))

    def project(self, config: str, tasks: list[dict[str, Any]]) -> tuple[int, list[int]]:
        """Connected, and read by the backend; the ids of the project and of its tasks."""
        made = self.label_studio.project(config, "Bulk")
        ids = self.label_studio.import_tasks(made["id"], tasks)
        self.label_studio.connect(made["id"], self.backend.url)
        annotated = sum(bool(task.get("annotations")) for task in tasks)
        self.wait(lambda: self._read(made["id"]) == (len(ids), annotated), "the project to be read")
        return made["id"], ids

    def _read(self, id: int) -> tuple[int, int]:
        for row in self.house.records.projects():
            if row.id == id:
                return self.house.records.task_count(row.key), len(self.house.records.annotations(row.key))
        return 0, 0

    def known(self, id: int) -> Any:
        return next(row for row in self.house.records.projects() if row.id == id)

    def plan(self, id: int, asked: dict[str, Any]) -> Run:
        return bulk_label.plan(self.house.records, self.known(id), BulkParameters.from_json(asked))

    def label(self, id: int, *arguments: str) -> str:
        """`espalier label`, by the running worker; the id of its run."""
        told = self.backend.espalier("label", str(id), *arguments, "--yes")
        found = re.search(r"run (\w+) writes as", told)
        assert found, told
        return found[1]

    def tasks(self, id: int) -> dict[int, dict[str, Any]]:
        """All of it, as it is now."""
        path = f"/api/tasks?project={id}&page_size=500&fields=all"
        return {task["id"]: task for task in self.label_studio.request("GET", path)["tasks"]}

    def annotations(self, id: int) -> dict[int, list[dict[str, Any]]]:
        """Of the tasks that have some, without how long ago it was."""
        listed = {task_id: task["annotations"] for task_id, task in self.tasks(id).items() if task["annotations"]}
        for one in (one for several in listed.values() for one in several):
            del one["created_ago"]
        return listed

    def predictions(self, id: int) -> dict[tuple[int, str], Any]:
        return {
            (task_id, one["model_version"]): one["result"]
            for task_id, task in self.tasks(id).items()
            for one in task["predictions"]
        }

    def wait(self, until: Callable[[], Any], what: str, *, patience_s: float = 120, poll_s: float = 0.1) -> Any:
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if found := until():
                return found
            time.sleep(poll_s)
        pytest.fail(f"waited in vain for {what}; the log ends with:\n{self.backend.log.read_text()[-4000:]}")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def digits(pictures: Path) -> list[Digit]:
    return write_digits(pictures, MANY)


@pytest.fixture(scope="module")
def site(label_studio: Any, start_backend: Any, pictures: Path) -> Iterator[Site]:
    settings = {"ESPALIER_ENCODER": "classic", "ESPALIER_MEDIA_ROOTS": str(pictures), "ESPALIER_DEBOUNCE_S": "2"}
    with start_backend(**settings) as backend:
        yield Site(label_studio, backend)


@pytest.fixture(scope="module")
def images(site: Site, digits: list[Digit]) -> tuple[int, list[int]]:
    """Pictures, of which people have annotated the first four."""
    tasks: list[dict[str, Any]] = [{"data": {"image": str(digit.path)}} for digit in digits]
    for task, digit in zip(tasks[:PEOPLE], digits, strict=False):
        task["annotations"] = [{"result": choices("image", digit.answers)}]
    return site.project(IMAGE_CONFIG, tasks)


def test_annotations_are_written_learned_and_taken_back_but_for_those_that_changed(
    site: Site, images: tuple[int, list[int]]
) -> None:
    id, tasks = images
    before = site.annotations(id)
    chosen = [f"--task={task}" for task in tasks[:12]]
    counted = json.loads(site.backend.espalier("label", str(id), "looped digit: 8", *chosen, "--dry-run", "--json"))
    assert (counted["written"], list(counted["reasons"].values())) == (0, [11, 1])
    assert all("asked only where loop is has a loop" in why or "otherwise" in why for why in counted["reasons"])
    counts = site.backend.espalier(
        "label", str(id), "looped digit: 8", *chosen, "--as", "annotations", "--with-parents", "--dry-run"
    )
    assert "      8  looped digit: 8\n" in counts
    assert f"refused in {PEOPLE} tasks: a person has annotated the task" in counts
    assert site.annotations(id) == before

    arguments = ("--as", "annotations", "--with-parents", "--by", site.label_studio.email, "--note", "eights")
    run = site.label(id, "looped digit: 8", *chosen, *arguments)
    written = site.annotations(id)
    assert {task: written[task] for task in before} == before, "what people made is not touched"
    assert set(written) == set(tasks[:12])
    for task in tasks[PEOPLE:12]:
        (one,) = written[task]
        assert said(one["result"]) == {"loop": "has a loop", "looped digit": "8"}
        assert (one["import_id"], one["bulk_created"]) == (int(run, 16), True)
        assert not any("score" in item for item in one["result"])
        assert one["completed_by"] == before[tasks[0]][0]["completed_by"]
    kept = site.house.records.run(run)
    assert kept
    assert (kept.kind, kept.state, kept.parameters["note"]) == ("bulk", "done", "eights")
    assert kept.message == "8 annotations in 12 selected tasks; 4 tasks were refused something"
    assert site.house.records.annotations(site.known(id).key, tasks[PEOPLE:12]), "known at once, or by webhook"
    site.backend.learned({"id": id}, 12)

    # A second one on the same pictures is beside the first, which is no other person's.
    again = site.plan(id, {"label": "looped digit: 9", "frames": [{"task": tasks[5]}], "as": "annotations"})
    told = automated.execute(site.house, again.id, Progress())
    assert told.counts["reasons"] == {"a person answered 'looped digit' otherwise there": 1}

    changed, begun = written[tasks[6]][0], written[tasks[7]][0]
    result = choices("image", {"loop": "no loop", "open digit": "1"})
    site.label_studio.request("PATCH", f"/api/annotations/{changed['id']}/", {"result": result})
    site.label_studio.request("POST", f"/api/tasks/{tasks[7]}/annotations/{begun['id']}/drafts", {"result": result})
    site.label_studio.request("DELETE", f"/api/annotations/{written[tasks[8]][0]['id']}/")
    told_back = site.backend.espalier("undo", run)
    assert told_back == (
        f"undone: 5 annotations deleted; 2 kept: task {tasks[6]} (somebody has changed it since), "
        f"task {tasks[7]} (somebody has begun to change it)\n"
    )
    left = site.annotations(id)
    assert set(left) == {*before, tasks[6], tasks[7]}
    assert {task: left[task] for task in before} == before
    assert left[tasks[6]][0]["result"] == result
    site.label_studio.request("DELETE", f"/api/annotations/{changed['id']}/")
    assert site.backend.espalier("undo", run).startswith("undone: 0 annotations deleted; 1 kept")
    site.label_studio.request("DELETE", f"/api/annotations/{begun['id']}/")
    assert site.annotations(id) == before


def test_giving_and_undoing_is_as_before(site: Site, images: tuple[int, list[int]]) -> None:
    """Whatever was selected, on whatever was there, in whatever order they are undone."""
    id, tasks = images
    before = site.annotations(id), site.predictions(id)
    dice = random.Random(7)
    labels = ["loop: has a loop", "loop: no loop", "looped digit: 0", "open digit: 3"]
    runs: list[Run] = []
    for number in range(4):
        kind = ("predictions", "annotations")[number % 2]
        asked = {
            "label": dice.choice(labels),
            "frames": [{"task": task} for task in dice.sample(tasks[:14], 8)],
            "as": kind,
            "with_parents": dice.random() < 0.5,
            **({"also_annotated": dice.random() < 0.5} if kind == "annotations" else {"show": dice.random() < 0.5}),
        }
        runs.append(automated.execute(site.house, site.plan(id, asked).id, Progress()))
    assert sum(run.counts["written"] for run in runs) > 0
    assert (site.annotations(id), site.predictions(id)) != before
    dice.shuffle(runs)
    for run in runs:
        assert automated.undo(site.house, run.id) == run.counts["written"]
    assert (site.annotations(id), site.predictions(id)) == before


def test_hits_in_a_video_become_regions_beside_what_a_model_predicted(site: Site, pictures: Path) -> None:
    shots = write_pan(pictures / "pan.mp4", seed=3, shots=SHOTS)
    id, (task, other) = site.project(VIDEO_CONFIG, [{"data": {"video": str(pictures / "pan.mp4")}}] * 2)
    foreign = [{"task": task, "result": timeline(shots[:1]), "score": 0.5, "model_version": "somebody-else"}]
    site.label_studio.request("POST", f"/api/projects/{id}/import/predictions", foreign)
    before = site.predictions(id)
    hits = [
        {"id": 1, "task": task, "tag": "video", "frame": 3, "score": 0.9, "scene": {"first": 1, "last": 12}},
        {"id": 2, "task": task, "tag": "video", "frame": 15, "score": 0.8, "scene": {"first": 13, "last": 20}},
        {"id": 3, "task": other, "tag": "video", "frame": 41, "score": 0.8, "scene": None},
    ]
    (pictures / "hits.json").write_text(json.dumps({"hits": hits, "query": {"text": "a temple"}}))
    run = site.label(id, "part: left", "--with-parents", "--from", str(pictures / "hits.json"))
    row = site.house.records.run(run)
    assert row
    assert row.parameters["search"] == {"query": {"text": "a temple"}}
    written = {key: result for key, result in site.predictions(id).items() if key not in before}
    assert set(written) == {(task, row.version), (other, row.version)}
    regions = [(item["from_name"], item["value"]["ranges"], item["score"]) for item in written[task, row.version]]
    assert regions == [("scene", [{"start": 1, "end": 20}], 1), ("part", [{"start": 1, "end": 20}], 1)]
    assert len({item["id"] for item in written[task, row.version]}) == 1
    assert site.label_studio.request("GET", f"/api/projects/{id}")["model_version"] != row.version, "unless --show"
    assert "part: left" in str(site.house.records.run(run))
    assert site.house.records.annotations(site.known(id).key) == [], "predictions are not learned from"
    assert site.backend.espalier("undo", run) == "undone: 2 predictions deleted\n"
    assert site.predictions(id) == before
    assert row.version in site.backend.espalier("runs", str(id))


@pytest.mark.parametrize("kind", ["annotations", "predictions"])
def test_killed_in_the_middle_it_goes_on_and_writes_everything_once(
    site: Site, images: tuple[int, list[int]], kind: str
) -> None:
    id, tasks = images
    before = site.annotations(id), site.predictions(id)
    asked = {"label": "loop: no loop", "frames": [{"task": task} for task in tasks[PEOPLE:]], "as": kind}
    run = site.plan(id, asked)
    site.house.queues.request_run(run.id)
    records = site.house.records
    site.wait(lambda: getattr(records.run(run.id), "done", 0), "the run to begin", poll_s=0.01)
    os.kill(site.backend.pid("prediction-worker"), signal.SIGKILL)
    killed_at = records.run(run.id)
    assert killed_at
    assert 0 < killed_at.done < MANY - PEOPLE, "it was caught in the middle"
    site.wait(lambda: getattr(records.run(run.id), "state", "") == "done", "the run to end", poll_s=0.3)
    ended = records.run(run.id)
    assert ended
    assert (ended.counts["written"], ended.done) == (MANY - PEOPLE, MANY - PEOPLE)
    assert ended.counts["answers"] == {"loop: no loop": MANY - PEOPLE}
    if kind == "annotations":
        made = {task: len(several) for task, several in site.annotations(id).items() if task not in tasks[:PEOPLE]}
        assert made == dict.fromkeys(tasks[PEOPLE:], 1)
    else:
        new = {key for key in site.predictions(id) if key not in before[1]}
        assert new == {(task, run.version) for task in tasks[PEOPLE:]}
        every = [one["model_version"] for task in site.tasks(id).values() for one in task["predictions"]]
        assert every.count(run.version) == MANY - PEOPLE
    assert automated.undo(site.house, run.id) == MANY - PEOPLE
    assert (site.annotations(id), site.predictions(id)) == before


def predicted(site: Site, id: int, results: dict[int, list[dict[str, Any]]]) -> None:
    """As a run leaves them: kept here, and shown in Label Studio."""
    key = site.known(id).key
    site.house.records.put_predictions(
        [Prediction(key, task, RUN, "x", result, 0.9) for task, result in results.items()]
    )
    rows = [{"task": task, "result": result, "score": 0.9, "model_version": RUN} for task, result in results.items()]
    site.label_studio.request("POST", f"/api/projects/{id}/import/predictions", rows)


def test_a_review_that_is_killed_while_it_is_written_goes_on_and_writes_everything_once(
    site: Site, images: tuple[int, list[int]], digits: list[Digit]
) -> None:
    id, tasks = images
    some = dict(zip(tasks[PEOPLE : PEOPLE + 45], digits[PEOPLE:], strict=False))
    predicted(site, id, {task: choices("image", digit.answers) for task, digit in some.items()})
    before = site.annotations(id), site.predictions(id)
    rejected, corrected, approved = list(some)[:5], list(some)[5:10], list(some)[10:]
    no_loop = [{"classification": "loop", "option": ["no loop"]}]
    decisions = [
        *({"task": task, "reject": True} for task in rejected),
        *({"task": task, "answers": no_loop} for task in corrected),
        *({"task": task, "approve": True} for task in approved),
    ]
    asked = {"version": RUN, "decisions": decisions}
    planning = Progress(site.house.queues.redis, "planning")
    planned = do(site.house, site.known(id).key, "plan_review", asked, planning)
    records = site.house.records
    site.wait(lambda: getattr(records.run(planned["run"]), "done", 0) > 5, "some to be written", poll_s=0.01)
    os.kill(site.backend.pid("prediction-worker"), signal.SIGKILL)
    killed_at = records.run(planned["run"])
    assert killed_at
    assert 5 < killed_at.done < len(some), "it was caught in the middle"
    assert do(site.house, site.known(id).key, "plan_review", asked, planning) == planned, "planned once, too"
    site.wait(lambda: getattr(records.run(planned["run"]), "state", "") == "done", "the review to end", poll_s=0.3)
    ended = records.run(planned["run"])
    assert ended
    assert ended.message == "40 annotations in 45 tasks; 5 predictions rejected"
    written = site.annotations(id)
    answers = {task: [said(one["result"]) for one in written[task]] for task in written if task in some}
    assert answers == {task: [{"loop": "no loop"}] for task in corrected} | {
        task: [some[task].answers] for task in approved
    }
    assert before[1].keys() - site.predictions(id).keys() == {(task, RUN) for task in rejected}
    assert automated.undo(site.house, planned["run"]) == 40
    assert (site.annotations(id), site.predictions(id)) == before


class Killed(BaseException):
    """The process is gone: nothing that stands behind this is done."""


class Mortal:
    """Label Studio's door, through which a process goes `lives` times; it dies before the next request is sent, or
    right after it was answered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lives, self.dies_after = -1, False
        self.lock, ask = threading.Lock(), Transport.json

        def json(transport: Transport, *arguments: Any, **more: Any) -> Any:
            with self.lock:
                self.lives -= 1
                is_last = self.lives == 0
            if is_last and not self.dies_after:
                raise Killed
            told = ask(transport, *arguments, **more)
            if is_last:
                raise Killed
            return told

        monkeypatch.setattr(Transport, "json", json)


def test_a_review_may_be_killed_at_any_moment(site: Site, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It dies at its first request, then at the second, and so on, before and after each is answered, until it ends.
    Of a film some ranges are approved, rejected and corrected, of another all are rejected, of a third all approved."""
    shots = write_pan(pictures / "killed.mp4", seed=5, shots=4)
    id, tasks = site.project(VIDEO_CONFIG, [{"data": {"video": str(pictures / "killed.mp4")}}] * 3)
    predicted(site, id, {task: timeline(shots) for task in tasks})
    before = site.predictions(id)
    places = [[{"task": task, "first": shot.start, "last": shot.end} for shot in shots] for task in tasks]
    flower = [{"classification": "scene", "option": ["flower"]}]
    decisions = [
        {**places[0][0], "approve": True}, {**places[0][1], "reject": True}, {**places[0][2], "answers": flower},
        *({**place, "reject": True} for place in places[1]), *({**place, "approve": True} for place in places[2]),
    ]  # fmt: skip
    run = reviewing.plan(site.house, site.known(id), {"version": RUN, "decisions": decisions})
    mortal, deaths = Mortal(monkeypatch), 0
    for lives in itertools.count(2):
        mortal.lives, mortal.dies_after = lives // 2, bool(lives % 2)
        try:
            automated.execute(site.house, run.id, Progress())
            break
        except Killed:
            deaths += 1
    mortal.lives = -1
    assert deaths > 5
    ended = site.house.records.run(run.id)
    assert ended
    assert (ended.state, ended.message) == ("done", "2 annotations in 3 tasks; 5 predictions rejected")
    written = site.annotations(id)
    assert {task: len(several) for task, several in written.items()} == {tasks[0]: 1, tasks[2]: 1}
    corrected = replace(shots[2], scene="flower", part=None)
    assert spans(written[tasks[0]][0]["result"]) == spans(timeline([shots[0], corrected]))
    assert spans(written[tasks[2]][0]["result"]) == spans(timeline(shots))
    shown = {task: spans(result) for (task, _), result in site.predictions(id).items()}
    assert shown == {tasks[0]: spans(timeline([shots[0], *shots[2:]])), tasks[2]: spans(timeline(shots))}
    assert [len(task["predictions"]) for task in site.tasks(id).values()] == [1, 0, 1]

    for lives in itertools.count(2):
        mortal.lives, mortal.dies_after = lives // 2, bool(lives % 2)
        try:
            automated.undo(site.house, run.id)
            break
        except Killed:
            pass
    mortal.lives = -1
    assert site.annotations(id) == {}
    assert site.predictions(id) == before
    assert [len(task["predictions"]) for task in site.tasks(id).values()] == [1, 1, 1]


def spans(result: list[dict[str, Any]]) -> set[tuple[int, int, str]]:
    """First frame, last frame and option of all that a result says."""
    return {
        (part["start"], part["end"], option)
        for item in result
        for part in item["value"]["ranges"]
        for option in item["value"].get("timelinelabels") or item["value"]["choices"]
    }


class Interrupted(Progress):
    """The worker is stopped before it writes the second part."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = 0

    def make_way(self) -> None:
        self.parts += 1
        if self.parts == 2:
            raise Requeue("this worker is being stopped")


def test_what_arrived_right_before_a_kill_is_found_again(site: Site, images: tuple[int, list[int]]) -> None:
    """By the next attempt, and by an undo instead of it."""
    id, tasks = images
    before = site.annotations(id)
    asked = {"label": "loop: no loop", "frames": [{"task": task} for task in tasks[PEOPLE:40]], "as": "annotations"}
    for goes_on in (True, False):
        run = site.plan(id, asked)
        with pytest.raises(Requeue):
            automated.execute(site.house, run.id, Interrupted())
        made = site.house.records.made(run.id)
        stored = [task for task in made if "annotation" in made[task]]
        assert 0 < len(stored) < 36
        unnoted = {task: {"frames": made[task]["frames"]} for task in stored[:3]}
        site.house.records.set_run_items(run.id, dict.fromkeys(unnoted, "writing"), unnoted)
        if goes_on:
            assert automated.execute(site.house, run.id, Progress()).counts["written"] == 36
            assert {len(several) for several in site.annotations(id).values()} == {1}
            assert site.house.records.made(run.id)[stored[0]]["annotation"] == made[stored[0]]["annotation"]
            assert automated.undo(site.house, run.id) == 36
        else:
            assert automated.undo(site.house, run.id) == len(stored)
        assert site.annotations(id) == before


def test_a_task_that_is_gone_and_one_that_a_person_annotates_meanwhile(
    site: Site, images: tuple[int, list[int]]
) -> None:
    """What Label Studio has when it is written counts, and not what was known when it was planned."""
    id, tasks = images
    asked = {"label": "loop: no loop", "frames": [{"task": task} for task in tasks[-3:]], "as": "annotations"}
    run = site.plan(id, asked)
    site.label_studio.request("DELETE", f"/api/tasks/{tasks[-1]}/")
    theirs = site.label_studio.annotate(tasks[-2], choices("image", {"loop": "has a loop"}))
    ended = automated.execute(site.house, run.id, Progress())
    assert ended.message == "1 annotation in 3 selected tasks; 2 tasks were refused something"
    reasons = {one["task"]: one["reason"] for one in ended.counts["refusals"]}
    assert "no such task" in reasons[tasks[-1]]
    assert "a person has annotated the task" in reasons[tasks[-2]]
    assert [one["id"] for one in site.annotations(id)[tasks[-2]]] == [theirs["id"]]
    assert automated.undo(site.house, run.id) == 1
