"""The mirror replaced by what the API says, while events go on arriving."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espalier.errors import BadRequest
from espalier.store.records import Records

KEY = "1.1795197302"
Json = dict[str, Any]


def annotation(id: int, task: int, answer: str = "Plant", minute: int = 0) -> Json:
    result = [{"from_name": "cls", "to_name": "img", "type": "choices", "value": {"choices": [answer]}}]
    return {"id": id, "task": task, "result": result, "updated_at": f"2026-11-20T17:{minute:02}:00Z"}


def task(id: int, *annotations: Json) -> Json:
    return {"id": id, "data": {"image": f"{id}.jpg"}, "annotations": list(annotations)}


def answers(records: Records) -> dict[int, str]:
    return {row.id: row.result[0]["value"]["choices"][0] for row in records.annotations(KEY)}


def test_the_truth_replaces_the_mirror(records: Records) -> None:
    records.mirror_tasks(KEY, [task(1), task(9)])
    records.mirror_annotations(KEY, [annotation(1, 1, "Animal", minute=5), annotation(9, 9)])
    assert records.reconcile(KEY, [task(1, annotation(1, 1, "Plant")), task(2, annotation(2, 2))])
    assert answers(records) == {1: "Plant", 2: "Plant"}
    assert [row.id for row in records.tasks(KEY)] == [1, 2]


def test_the_same_truth_again_changes_nothing(records: Records) -> None:
    truth = [task(1, annotation(1, 1)), task(2)]
    assert records.reconcile(KEY, truth)
    position = records.position(KEY)
    assert not records.reconcile(KEY, truth)
    assert records.position(KEY) == position


def test_new_tasks_without_answers_do_not_matter_to_training(records: Records) -> None:
    records.reconcile(KEY, [task(1, annotation(1, 1))])
    assert not records.reconcile(KEY, [task(1, annotation(1, 1)), task(2)])
    assert records.task_count(KEY) == 2


def test_what_events_changed_after_the_reading_began_stays(records: Records) -> None:
    records.reconcile(KEY, [task(1, annotation(1, 1)), task(2, annotation(2, 2)), task(3, annotation(3, 3))])
    since = records.position(KEY)
    read = [task(1, annotation(1, 1)), task(2, annotation(2, 2)), task(3, annotation(3, 3))]
    records.mirror_tasks(KEY, [task(4)])
    records.mirror_annotations(KEY, [annotation(4, 4), annotation(1, 1, "Animal", minute=1)])
    records.forget_annotations(KEY, [2])
    records.forget_tasks(KEY, [3])
    assert not records.reconcile(KEY, read, since=since)
    assert answers(records) == {1: "Animal", 4: "Plant"}
    assert [row.id for row in records.tasks(KEY)] == [1, 2, 4]


def test_what_was_left_out_does_not_count_as_a_change(records: Records) -> None:
    records.reconcile(KEY, [task(1, annotation(1, 1))])
    since = records.position(KEY)
    records.mirror_annotations(KEY, [annotation(1, 1, "Animal", minute=1)])
    assert not records.reconcile(KEY, [task(1, annotation(1, 1)), task(2)], since=since), (
        "only an unlabeled task is new"
    )
    assert records.task_count(KEY) == 2


def test_without_a_mark_the_reading_is_the_newest(records: Records) -> None:
    records.reconcile(KEY, [task(1, annotation(1, 1))])
    records.mirror_annotations(KEY, [annotation(4, 1)])
    records.reconcile(KEY, [task(1, annotation(1, 1))])
    assert answers(records) == {1: "Plant"}


def test_the_truth_brings_back_what_an_event_called_deleted(records: Records) -> None:
    records.reconcile(KEY, [task(1, annotation(1, 1))])
    records.forget_tasks(KEY, [1])
    records.forget_annotations(KEY, [1])
    assert records.reconcile(KEY, [task(1, annotation(1, 1))], since=records.position(KEY))
    assert records.mirror_annotations(KEY, [annotation(1, 1, "Animal", minute=1)])
    assert answers(records) == {1: "Animal"}


def test_tasks_without_their_annotations_are_refused_and_nothing_is_lost(records: Records) -> None:
    records.reconcile(KEY, [task(1, annotation(1, 1))])
    with pytest.raises(BadRequest, match="came without its annotations"):
        records.reconcile(KEY, [{"id": 1, "data": {}}])
    assert answers(records) == {1: "Plant"}


def test_the_recorded_api_answer_is_understood(records: Records, shared: Callable[[str], Path]) -> None:
    page = json.loads(shared("fixtures/ls-1.23.2/api.tasks.fields_all.json").read_text())
    assert records.reconcile(KEY, page["tasks"])
    export = json.loads(shared("fixtures/ls-1.23.2/export.JSON.video_project.json").read_text())
    records.reconcile(KEY, export)
    assert records.task_count(KEY) == len(export)
    found = {row.id: row for row in records.annotations(KEY)}
    assert len(found) == sum(len(task["annotations"]) for task in export)
    assert not found[11].accepted, "two of its regions were added by hand"


def test_ten_thousand_tasks_are_mirrored_and_known_again(records: Records) -> None:
    truth = [task(id, annotation(id, id), annotation(20_000 + id, id)) for id in range(1, 10_001)]
    assert records.reconcile(KEY, truth)
    assert not records.reconcile(KEY, truth)
    assert len(records.annotations(KEY, range(1, 5_001))) == 10_000
