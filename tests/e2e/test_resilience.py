"""What goes wrong in the life of a backend, against a real Label Studio: kills, missing keys, slowness, changed minds.

Pictures are named by their path, so that no upload is waited for.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import requests

from espalier.demo.pictures import IMAGE_CONFIG, Digit, write_digits
from espalier.demo.results import choices
from espalier.errors import EspalierError
from espalier.jobs import automated
from espalier.jobs.house import House
from espalier.jobs.parameters import RunParameters
from espalier.jobs.progress import Progress
from espalier.jobs.queue import job_of_run
from espalier.learning.model import Model
from espalier.settings import Settings

MANY = 600
USER, PASSWORD = "espalier", "a-long-password"


class Watched:
    """A backend, and what it keeps, as the command line would see it."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    @cached_property
    def house(self) -> House:
        return House(Settings.read(self.backend.environment))

    def key(self, project: dict[str, Any]) -> str:
        """Once the project is known."""
        known = self.house.records.projects
        key: str = self.wait(
            lambda: next((row.key for row in known() if row.id == project["id"]), ""), "the project to be known"
        )
        return key

    def learned(self, project: dict[str, Any], media: int) -> Any:
        """The version that serves, once it has seen that many annotated media."""
        key = self.key(project)

        def served() -> Any:
            row = self.house.records.project(key)
            version = self.house.records.version(key, row.served) if row and row.served else None
            return version if version and f"trained on {media} annotated media" in version.message else None

        return self.wait(served, f"a version trained on {media} media")

    def wait(self, until: Callable[[], Any], what: str, *, patience_s: float = 90, poll_s: float = 0.1) -> Any:
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            found = until()
            if found:
                return found
            time.sleep(poll_s)
        pytest.fail(f"waited in vain for {what}; the log ends with:\n{self.backend.log.read_text()[-4000:]}")

    def begin_run(self, project: dict[str, Any], **chosen: Any) -> Any:
        """A run that has written some of its tasks, and not all."""
        run = automated.plan(self.house, self.key(project), RunParameters(**chosen))
        self.house.queues.request_run(run.id)
        begun = self.wait(lambda: self._begun(run.id), "the run to begin", poll_s=0.02)
        assert begun.state == "running", "too quick to be caught in the middle"
        return begun

    def _begun(self, run_id: str) -> Any:
        run = self.house.records.run(run_id)
        return run if run and run.done else None


@pytest.fixture(scope="module")
def watched(start_backend: Any, digits: list[Digit]) -> Iterator[Watched]:
    """One backend, as it usually is, for the tests that need no other settings."""
    with start_backend(**_settings(digits)) as backend:
        yield Watched(backend)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> list[Digit]:
    return write_digits(tmp_path_factory.mktemp("digits"), MANY)


@pytest.fixture(scope="module")
def learned_project(label_studio: Any, watched: Watched, digits: list[Digit]) -> tuple[dict[str, Any], list[int]]:
    """Many tasks, of which the first 100 are annotated and learned."""
    project = label_studio.project(IMAGE_CONFIG, "Many")
    tasks = label_studio.import_tasks(
        project["id"], [_task(digit, annotated=n < 100) for n, digit in enumerate(digits)]
    )
    label_studio.connect(project["id"], watched.backend.url)
    watched.learned(project, 100)
    return project, tasks


def _settings(digits: list[Digit]) -> dict[str, str]:
    roots = str(digits[0].path.parent)
    return {"ESPALIER_ENCODER": "classic", "ESPALIER_MEDIA_ROOTS": roots, "ESPALIER_DEBOUNCE_S": "0.3"}


def _task(digit: Digit, *, annotated: bool = False) -> dict[str, Any]:
    task: dict[str, Any] = {"data": {"image": str(digit.path)}}
    return task | {"annotations": [{"result": choices("image", digit.answers)}]} if annotated else task


def versions_of(label_studio: Any, project: dict[str, Any]) -> dict[int, list[str]]:
    """The versions of each task's predictions."""
    path = f"/api/tasks?project={project['id']}&page_size=2000&fields=all"
    return {
        task["id"]: [prediction["model_version"] for prediction in task["predictions"]]
        for task in label_studio.request("GET", path)["tasks"]
    }


def test_a_killed_run_goes_on_and_writes_nothing_twice(
    label_studio: Any, watched: Watched, learned_project: tuple[dict[str, Any], list[int]]
) -> None:
    project, tasks = learned_project
    run = watched.begin_run(project, confidence=0.0)
    os.kill(watched.backend.pid("prediction-worker"), signal.SIGKILL)
    killed_at = watched.house.records.run(run.id)
    assert killed_at is not None
    assert 0 < killed_at.done < MANY
    records = watched.house.records
    watched.wait(lambda: getattr(records.run(run.id), "state", "") == "done", "the run to end", poll_s=0.5)
    written = versions_of(label_studio, project)
    assert {id: Counter(names)[run.version] for id, names in written.items()} == dict.fromkeys(tasks, 1)
    finished = records.run(run.id)
    assert finished is not None
    assert (finished.counts["tasks"], finished.counts["written"]) == (MANY, MANY)
    assert finished.message == f"{MANY} of {MANY} tasks answered ({MANY} frames)"


def test_a_run_is_cancelled_in_the_middle_and_undone(
    label_studio: Any, watched: Watched, learned_project: tuple[dict[str, Any], list[int]]
) -> None:
    project, tasks = learned_project
    run = watched.begin_run(project, confidence=0.0)
    with pytest.raises(EspalierError, match="is not over"):
        automated.undo(watched.house, run.id)  # not by a command: the run would be over by then
    watched.backend.espalier("cancel", run.id)
    records = watched.house.records
    watched.wait(lambda: getattr(records.run(run.id), "state", "") in ("cancelled", "done"), "the run to end")
    written = Counter(name for names in versions_of(label_studio, project).values() for name in names)
    assert 0 < written[run.version] < len(tasks)
    ended = records.run(run.id)
    assert ended is not None
    assert ended.state == "cancelled"
    assert "what was written stays until undone" in ended.message
    assert str(written[run.version]) in watched.backend.espalier("undo", run.id)
    left = Counter(name for names in versions_of(label_studio, project).values() for name in names)
    assert left[run.version] == 0
    assert left == Counter({name: count for name, count in written.items() if name != run.version})
    assert watched.house.queues.status(job_of_run(run.id)).state == "cancelled"


def test_what_earlier_runs_wrote_is_added_to_skipped_or_replaced(
    label_studio: Any, watched: Watched, digits: list[Digit]
) -> None:
    project = label_studio.project(IMAGE_CONFIG, "Runs")
    tasks = label_studio.import_tasks(
        project["id"], [_task(digit, annotated=n < 20) for n, digit in enumerate(digits[:26])]
    )
    label_studio.connect(project["id"], watched.backend.url)
    watched.learned(project, 20)
    house, key = watched.house, watched.key(project)

    def run(**chosen: Any) -> Any:
        planned = automated.plan(house, key, RunParameters(confidence=0.0, **chosen))
        return automated.execute(house, planned.id, Progress())

    first = run(tasks=tuple(tasks[:3]))
    second = run(tasks=tuple(tasks[:5]), existing="skip")
    assert (first.counts["tasks"], second.counts["tasks"]) == (3, 2)

    # As after a kill between Label Studio's taking a batch and our noting it: done again, counted once, written once.
    house.records.set_run_items(second.id, dict.fromkeys(tasks[3:5], "writing"))
    house.records.set_run(second.id, state="running", counts={}, done=0)
    assert automated.execute(house, second.id, Progress()).counts == second.counts
    written = versions_of(label_studio, project)
    assert [written[task] for task in tasks[:6]] == [[first.version]] * 3 + [[second.version]] * 2 + [[]]
    third = run(tasks=tuple(tasks[2:4]), existing="replace")
    written = versions_of(label_studio, project)
    assert [written[task] for task in tasks[:6]] == [
        *[[first.version]] * 2,
        *[[third.version]] * 2,
        [second.version],
        [],
    ]
    assert house.project(key).published == third.version
    automated.undo(house, third.id)
    assert house.project(key).published == second.version


def test_a_task_that_is_gone_is_told_and_stops_nobody(label_studio: Any, watched: Watched, digits: list[Digit]) -> None:
    project = label_studio.project(IMAGE_CONFIG, "A task is gone")
    tasks = label_studio.import_tasks(
        project["id"], [_task(digit, annotated=n < 20) for n, digit in enumerate(digits[:26])]
    )
    label_studio.connect(project["id"], watched.backend.url)
    watched.learned(project, 20)
    for hook in label_studio.request("GET", f"/api/webhooks/?project={project['id']}"):
        label_studio.request("DELETE", f"/api/webhooks/{hook['id']}/")
    label_studio.request("DELETE", f"/api/tasks/{tasks[25]}/")  # and nobody hears of it
    house = watched.house
    planned = automated.plan(house, watched.key(project), RunParameters(tasks=tuple(tasks[20:]), confidence=0.0))
    run = automated.execute(house, planned.id, Progress())
    assert (run.state, run.counts["tasks"], run.counts["written"]) == ("done", 6, 5)
    assert f"task {tasks[25]}" in run.counts["problems"][0]
    assert sum(run.version in names for names in versions_of(label_studio, project).values()) == 5


def test_events_that_were_missed_are_made_up_for(label_studio: Any, watched: Watched, digits: list[Digit]) -> None:
    project = label_studio.project(IMAGE_CONFIG, "Missed events")
    tasks = label_studio.import_tasks(
        project["id"], [_task(digit, annotated=n < 20) for n, digit in enumerate(digits[:30])]
    )
    label_studio.connect(project["id"], watched.backend.url)
    watched.learned(project, 20)
    for hook in label_studio.request("GET", f"/api/webhooks/?project={project['id']}"):
        label_studio.request("DELETE", f"/api/webhooks/{hook['id']}/")
    for task, digit in list(zip(tasks, digits, strict=False))[20:]:
        label_studio.annotate(task, choices("image", digit.answers))
    key, house = watched.key(project), watched.house
    assert len(house.records.annotations(key)) == 20
    house.queues.redis.delete(f"espalier:reconciled:{key}")  # a quarter of an hour goes by
    house.queues.request_training(key, delay=False)
    watched.learned(project, 30)
    names = [row.message.split(" with ")[0] for row in house.records.versions(key)]
    assert names[:2] == ["trained on 30 annotated media", "trained on 20 annotated media"]


def test_a_killed_training_is_done_again_and_leaves_no_half_version(
    watched: Watched, learned_project: tuple[dict[str, Any], list[int]]
) -> None:
    project, _ = learned_project
    key = watched.key(project)
    before = watched.house.project(key).served
    job = watched.house.queues.request_training(key, delay=False, reconcile=True)
    watched.wait(lambda: watched.house.queues.status(job).state == "running", "the training to begin", poll_s=0.01)
    os.kill(watched.backend.pid("training-worker"), signal.SIGKILL)
    assert watched.house.project(key).served == before, "it was killed in the middle"
    watched.wait(lambda: watched.house.project(key).served != before, "the version", poll_s=0.5)
    directories = watched.house.version_directory(watched.house.project(key), "any").parent
    versions = [path for path in directories.iterdir() if not path.name.startswith(".")]
    assert {path.name for path in versions} == {row.name for row in watched.house.records.versions(key)}
    for path in versions:
        assert Model.load(path / "model").heads


def test_what_people_take_back_is_unlearned(label_studio: Any, watched: Watched, digits: list[Digit]) -> None:
    project = label_studio.project(IMAGE_CONFIG, "Changed minds")
    tasks = label_studio.import_tasks(project["id"], [_task(digit) for digit in digits[:20]])
    label_studio.connect(project["id"], watched.backend.url)
    annotations = [
        label_studio.annotate(task, choices("image", digit.answers)) for task, digit in zip(tasks, digits, strict=False)
    ]
    before = _counts(watched.learned(project, 20))
    label_studio.request("DELETE", f"/api/annotations/{annotations[0]['id']}/")
    without = _counts(watched.learned(project, 19))
    gone = (digits[0].answers["loop"],)
    assert without[gone] == before[gone] - 1

    now, was = ("no loop", "has a loop") if digits[1].answers["loop"] == "has a loop" else ("has a loop", "no loop")
    changed = {"result": choices("image", {"loop": now})}
    label_studio.request("PATCH", f"/api/annotations/{annotations[1]['id']}/", changed)
    watched.wait(
        lambda: _counts(watched.learned(project, 19))[(now,)] == without[(now,)] + 1, "the change to be learned"
    )
    assert _counts(watched.learned(project, 19))[(was,)] == without[(was,)] - 1


def _counts(version: Any) -> Any:
    return Model.load(Path(version.directory)).heads["loop", ()].counts


def test_basic_auth_guards_every_door_and_events_still_arrive(
    label_studio: Any, start_backend: Any, digits: list[Digit]
) -> None:
    project = label_studio.project(IMAGE_CONFIG, "Guarded")
    tasks = label_studio.import_tasks(project["id"], [_task(digit) for digit in digits[:20]])
    with start_backend(**_settings(digits), BASIC_AUTH_USER=USER, BASIC_AUTH_PASS=PASSWORD) as backend:
        watched = Watched(backend)
        for method, path in (("GET", "/health"), ("POST", "/setup"), ("POST", "/webhook"), ("GET", "/metrics")):
            assert requests.request(method, backend.url + path, json={}, timeout=10).status_code == 401, path
        login = {"auth_method": "BASIC_AUTH", "basic_auth_user": USER, "basic_auth_pass": PASSWORD}
        label_studio.connect(project["id"], backend.url, **login)
        (hook,) = watched.wait(lambda: _secured(label_studio, project), "the webhook to carry the secret")
        for task, digit in zip(tasks, digits, strict=False):
            label_studio.annotate(task, choices("image", digit.answers))
        version = watched.learned(project, 20)
        assert label_studio.request("GET", f"/api/ml?project={project['id']}")[0]["model_version"] == version.name

        event = {"action": "ANNOTATION_CREATED", "project": {"id": project["id"]}}
        asked = requests.post(f"{backend.url}/webhook", json=event, timeout=10)
        assert asked.status_code == 401
        assert "X-Espalier-Secret" in asked.json()["error"]
        wrong = {"X-Espalier-Secret": hook["headers"]["X-Espalier-Secret"][:-1]}
        assert requests.post(f"{backend.url}/webhook", json=event, headers=wrong, timeout=10).status_code == 401
        assert requests.get(f"{backend.url}/health", auth=(USER, PASSWORD), timeout=10).ok
        assert PASSWORD not in backend.log.read_text()
        assert hook["headers"]["X-Espalier-Secret"] not in backend.log.read_text()


def _secured(label_studio: Any, project: dict[str, Any]) -> list[dict[str, Any]]:
    hooks = label_studio.request("GET", f"/api/webhooks/?project={project['id']}")
    return [hook for hook in hooks if (hook.get("headers") or {}).get("X-Espalier-Secret")]


def test_without_a_key_training_lives_on_events_alone(
    label_studio: Any, start_backend: Any, digits: list[Digit]
) -> None:
    project = label_studio.project(IMAGE_CONFIG, "No key")
    inline = [
        {"data": {"image": f"data:image/png;base64,{base64.b64encode(digit.path.read_bytes()).decode()}"}}
        for digit in digits[:10]
    ]
    tasks = label_studio.import_tasks(project["id"], [*inline, *(_task(digit) for digit in digits[10:25])])
    with start_backend(**_settings(digits), LABEL_STUDIO_API_KEY=None) as backend:
        watched = Watched(backend)
        label_studio.connect(project["id"], backend.url)
        for task, digit in zip(tasks[:20], digits, strict=False):
            label_studio.annotate(task, choices("image", digit.answers))
        version = watched.learned(project, 20)
        assert "left out" not in version.message, version.message
        label_studio.action(project["id"], "retrieve_tasks_predictions", tasks[20:])
        answered = versions_of(label_studio, project)
        assert all(answered[task] == [version.name] for task in tasks[20:])
        log = backend.log.read_text()
        assert re.search(r"project \d+: no token of Label Studio works here, so Espalier learns only from", log)
        assert "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY" in log


def test_what_comes_too_late_is_pushed_once(label_studio: Any, start_backend: Any, digits: list[Digit]) -> None:
    project = label_studio.project(IMAGE_CONFIG, "Slow")
    tasks = label_studio.import_tasks(
        project["id"], [_task(digit, annotated=n < 30) for n, digit in enumerate(digits[:200])]
    )
    with start_backend(**_settings(digits), ESPALIER_PREDICT_DEADLINE_S="0.05") as backend:
        watched = Watched(backend)
        label_studio.connect(project["id"], backend.url)
        version = watched.learned(project, 30)
        asked = {
            "project": watched.key(project),
            "label_config": IMAGE_CONFIG,
            "tasks": [{"id": task, "data": {"image": str(digits[n].path)}} for n, task in enumerate(tasks)][30:],
        }
        started = time.monotonic()
        answer = requests.post(f"{backend.url}/predict", json=asked, timeout=30).json()["results"]
        assert time.monotonic() - started < 3
        assert len(answer) == 170
        late = [task for task, item in zip(tasks[30:], answer, strict=True) if item == []]
        assert late, "it was to be too slow"

        def arrived() -> bool:
            found = versions_of(label_studio, project)
            return all(found[task] for task in late)

        watched.wait(arrived, "the late predictions", poll_s=0.5)
        label_studio.action(project["id"], "retrieve_tasks_predictions", tasks[30:])
        lines = watched.house.queues.waiting
        watched.wait(lambda: not lines()["prediction"], "the queue to be empty")
        found = versions_of(label_studio, project)
        assert {task: found[task].count(version.name) for task in tasks[30:]} == dict.fromkeys(tasks[30:], 1)
