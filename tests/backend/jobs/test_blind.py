"""The blind sample: what is drawn, what stays hidden until when, and what it says of a run."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.demo.results import choices
from espalier.jobs import serving
from espalier.jobs.blind import measure
from espalier.jobs.parameters import RunParameters
from espalier.jobs.progress import Progress
from espalier.jobs.withheld import BLIND, WRITTEN, is_drawn, withheld
from espalier.labelstudio.wire import inputs_digest
from espalier.store.rows import Prediction, Run

TASKS = range(1, 41)


def test_about_the_share_is_drawn_and_always_the_same() -> None:
    drawn = {task for task in range(10_000) if is_drawn("a1b2", task, 0.1)}
    assert 900 < len(drawn) < 1100
    assert drawn == {task for task in range(10_000) if is_drawn("a1b2", task, 0.1)}
    assert drawn < {task for task in range(10_000) if is_drawn("a1b2", task, 0.3)}
    assert drawn != {task for task in range(10_000) if is_drawn("c3d4", task, 0.1)}
    assert not any(is_drawn("a1b2", task, 0.0) for task in range(10_000))


@pytest.fixture
def run(home: Any) -> Run:
    """A finished run over 40 tasks without a label; what it would have said of all of them is that there is a loop."""
    home.configure(IMAGE_CONFIG)
    home.digits(40, 0)
    return ran(home, TASKS)


def ran(home: Any, tasks: Any, *, blind: float = 0.5, version: str = "espalier-v1-run1") -> Run:
    records = home.house.records
    made: Run = records.add_run(home.key, RunParameters(blind=blind).to_json(), version=version)
    said = choices("image", {"loop": "has a loop"})
    sent = {task["id"]: task for task in task_objects(home)}
    records.put_predictions(
        [Prediction(home.key, task, version, inputs_digest(sent[task]), said, 0.9) for task in tasks]
    )
    records.set_run_items(made.id, {task: BLIND if is_drawn(made.id, task, blind) else WRITTEN for task in tasks})
    finished: Run = records.set_run(made.id, state="done")
    return finished


def task_objects(home: Any) -> list[dict[str, Any]]:
    return [{"id": task.id, "data": task.data, "annotations": []} for task in home.house.records.tasks(home.key)]


def blind_tasks(home: Any, run: Run) -> list[int]:
    return [task for task, state in home.house.records.run_items(run.id).items() if state == BLIND]


def test_what_people_say_later_is_the_precision(home: Any, run: Run) -> None:
    blind = blind_tasks(home, run)
    first = measure(home.house, run)
    assert first is not None
    assert first.sentence() == f"blind sample: 0 of {len(blind)} blind tasks are annotated so far"
    for number, task in enumerate(blind[:5]):
        home.annotate(task, choices("image", {"loop": "no loop" if number == 0 else "has a loop"}))
    home.annotate(next(task for task in TASKS if task not in blind), choices("image", {"loop": "no loop"}))
    home.annotate(blind[5], [], was_cancelled=True)
    found = measure(home.house, run)
    assert found is not None
    assert found.sentence() == (
        f"blind sample: 4 of 5 answers right, 80 % (38-96 %); 5 of {len(blind)} blind tasks are annotated so far"
    )
    assert found.to_json()["questions"]["loop"]["right"] == 4


def test_an_accepted_or_confirmed_prediction_measures_nothing(home: Any, run: Run) -> None:
    accepted, confirmed, other, *_ = blind_tasks(home, run)
    said = choices("image", {"loop": "has a loop"})
    home.annotate(accepted, said, parent_prediction=9)
    home.annotate(confirmed, [{**item, "origin": "prediction"} for item in said], parent_prediction=9)
    home.annotate(other, [{**item, "origin": "manual"} for item in said])
    found = measure(home.house, run)
    assert found is not None
    assert (found.annotated, found.given_away, found.all.right) == (1, 2, 1)
    assert "2 do not count because a prediction was seen" in found.sentence()


def test_a_run_that_shows_its_predictions_gives_the_sample_away(home: Any, run: Run) -> None:
    first, second, *_ = blind_tasks(home, run)
    ran(home, [first], blind=0.0, version="espalier-v1-run2")
    for task in (first, second):
        home.annotate(task, choices("image", {"loop": "has a loop"}))
    found = measure(home.house, run)
    assert found is not None
    assert (found.annotated, found.given_away) == (1, 1)


def test_without_a_sample_there_is_nothing_to_measure(home: Any, run: Run) -> None:
    assert measure(home.house, ran(home, TASKS, blind=0.0, version="espalier-v1-run2")) is None
    assert measure(home.house, home.house.records.set_run(run.id, state="undone")) is None


def test_a_blind_task_shows_nothing_until_it_is_annotated(home: Any, run: Run) -> None:
    records, tasks = home.house.records, task_objects(home)
    blind = set(blind_tasks(home, run))
    assert 10 < len(blind) < 30
    assert withheld(records, home.key, tasks) == blind
    one = min(blind)
    annotated = [{**task, "annotations": [{"id": 1, "result": []}]} for task in tasks if task["id"] == one]
    assert withheld(records, home.key, annotated) == set()
    skipped = [{**annotated[0], "annotations": [{"id": 1, "result": [], "was_cancelled": True}]}]
    assert withheld(records, home.key, skipped) == {one}
    ran(home, [one], blind=0.0, version="espalier-v1-run2")
    assert withheld(records, home.key, tasks) == blind - {one}, "another run has shown it"
    records.set_run(run.id, state="undone")
    assert withheld(records, home.key, tasks) == set()


def test_no_worker_predicts_a_blind_task_behind_its_back(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(80, 60)
    home.train()
    run = ran(home, range(61, 81), version="espalier-v1-run1")
    home.house.records.publish(home.key, "espalier-v1-run1")
    fresh = [{**task, "data": {**task["data"], "note": "changed"}} for task in task_objects(home)[60:]]
    done = serving.predict(home.house, home.project, fresh, Progress())
    assert done == 20 - len(blind_tasks(home, run))
