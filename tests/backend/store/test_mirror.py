"""The mirror under events as Label Studio sends them: twice, late, out of order, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from espalier.errors import BadRequest
from espalier.store.records import Records

KEY = "1.1795197302"
Json = dict[str, Any]


def choice(name: str, **more: Any) -> Json:
    return {"from_name": "cls", "to_name": "img", "type": "choices", "value": {"choices": [name]}, **more}


def annotation(id: int = 4, *, minute: int = 0, answer: str = "Plant", **more: Any) -> Json:
    return {
        "id": id,
        "task": 1,
        "result": [choice(answer)],
        "was_cancelled": False,
        "ground_truth": False,
        "completed_by": 1,
        "updated_at": f"2026-11-20T17:{minute:02}:28.576083Z",
        "parent_prediction": None,
        **more,
    }


def task(id: int = 1, **more: Any) -> Json:
    return {"id": id, "data": {"image": f"{id}.jpg"}, "total_annotations": 0, **more}


def revision(records: Records) -> int:
    project = records.project(KEY)
    return project.revision if project else 0


def test_an_annotation_is_kept_as_it_came(records: Records) -> None:
    assert records.mirror_annotations(KEY, [annotation()])
    (row,) = records.annotations(KEY)
    assert (row.id, row.task_id, row.completed_by) == (4, 1, 1)
    assert row.result == [choice("Plant")]
    assert row.updated_at == datetime(2026, 11, 20, 17, 0, 28, 576083, tzinfo=timezone.utc)
    assert revision(records) == 1


def test_the_same_event_twice_changes_nothing(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation()])
    assert not records.mirror_annotations(KEY, [annotation()])
    assert revision(records) == 1


def test_a_late_event_does_not_undo_a_newer_one(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation(minute=5, answer="Animal")])
    assert not records.mirror_annotations(KEY, [annotation(minute=1, answer="Plant")])
    assert records.annotations(KEY)[0].result == [choice("Animal")]


def test_of_two_states_in_one_event_the_newest_wins(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation(minute=5, answer="Animal"), annotation(minute=1)])
    assert records.annotations(KEY)[0].result == [choice("Animal")]


def test_a_deleted_annotation_stays_deleted(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation()])
    assert records.forget_annotations(KEY, [4])
    assert not records.mirror_annotations(KEY, [annotation(minute=9)])
    assert records.annotations(KEY) == []
    assert not records.forget_annotations(KEY, [4])


def test_a_deletion_may_arrive_before_the_creation(records: Records) -> None:
    assert not records.forget_annotations(KEY, [4])
    assert not records.mirror_annotations(KEY, [annotation()])
    assert records.annotations(KEY) == []


def test_a_deleted_task_takes_its_annotations_along(records: Records) -> None:
    records.mirror_tasks(KEY, [task(1), task(2)])
    records.mirror_annotations(KEY, [annotation(4), annotation(5, task=2)])
    assert records.forget_tasks(KEY, [1])
    assert [row.id for row in records.annotations(KEY)] == [5]
    assert not records.mirror_tasks(KEY, [task(1)])
    assert not records.mirror_annotations(KEY, [annotation(6, task=1)])
    assert records.task_count(KEY) == 1


def test_a_skipped_annotation_is_kept_and_is_no_answer(records: Records) -> None:
    assert not records.mirror_annotations(KEY, [annotation(was_cancelled=True)])
    assert records.annotations(KEY)[0].was_cancelled
    assert revision(records) == 0
    assert records.mirror_annotations(KEY, [annotation(minute=1)]), "answered after all"
    assert records.mirror_annotations(KEY, [annotation(minute=2, was_cancelled=True)]), "an answer withdrawn"


def test_who_and_when_do_not_matter_to_training(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation()])
    assert not records.mirror_annotations(KEY, [annotation(minute=1, completed_by={"id": 7})])
    assert records.annotations(KEY)[0].completed_by == 7


@pytest.mark.parametrize(
    ("result", "parent", "accepted", "confirmed"),
    [
        ([choice("Plant")], 254, True, False),
        ([choice("Plant", origin="prediction")], 254, False, True),
        ([choice("Plant", origin="prediction"), choice("Tall", origin="manual")], 254, False, False),
        ([choice("Plant", origin="prediction-changed")], 254, False, False),
        ([choice("Plant")], None, False, False),
        ([choice("Plant", origin="prediction")], None, False, False),
        ([], 254, False, False),
    ],
    ids=["created in bulk", "submitted untouched", "one added", "one changed", "from nothing", "copied", "emptied"],
)
def test_what_was_accepted_and_what_confirmed_is_told_apart(
    records: Records, result: list[Json], parent: int | None, accepted: bool, confirmed: bool
) -> None:
    records.mirror_annotations(KEY, [annotation(result=result, parent_prediction=parent)])
    held = records.annotations(KEY)[0]
    assert (held.accepted, held.confirmed) == (accepted, confirmed)


def test_a_person_who_submits_an_accepted_one_confirms_it(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation(parent_prediction=254)])
    looked_at = annotation(minute=1, parent_prediction=254, result=[choice("Plant", origin="prediction")])
    assert records.mirror_annotations(KEY, [looked_at]), "it may count for more now"


def test_a_person_who_edits_an_accepted_one_makes_it_theirs(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation(parent_prediction=254)])
    edited = annotation(minute=1, parent_prediction=254, result=[choice("Plant", origin="manual")])
    assert records.mirror_annotations(KEY, [edited])


@pytest.mark.parametrize("of_task", [7, {"id": 7}, "7"], ids=["number", "nested", "text"])
def test_the_task_of_an_annotation_comes_in_several_shapes(records: Records, of_task: object) -> None:
    records.mirror_annotations(KEY, [annotation(task=of_task)])
    assert records.annotations(KEY, [7])[0].task_id == 7


def test_an_annotation_of_no_task_is_refused(records: Records) -> None:
    with pytest.raises(BadRequest, match="annotation 4 names no task"):
        records.mirror_annotations(KEY, [annotation(task=None)])


def test_new_tasks_alone_teach_nothing(records: Records) -> None:
    assert not records.mirror_tasks(KEY, [task(1), task(2)])
    assert revision(records) == 0
    assert [row.data for row in records.tasks(KEY)] == [{"image": "1.jpg"}, {"image": "2.jpg"}]
    assert [row.id for row in records.tasks(KEY, [2, 3])] == [2]


def test_imported_tasks_may_bring_annotations_that_no_event_tells_of(records: Records) -> None:
    assert records.mirror_tasks(KEY, [task(1, total_annotations=1)])
    assert not records.mirror_tasks(KEY, [task(1, total_annotations=1)])


def test_other_data_of_an_answered_task_matters(records: Records) -> None:
    records.mirror_tasks(KEY, [task(1), task(2)])
    records.mirror_annotations(KEY, [annotation()])
    assert records.mirror_tasks(KEY, [task(1, data={"image": "other.jpg"})])
    assert not records.mirror_tasks(KEY, [task(2, data={"image": "other.jpg"})])


def test_awkward_text_survives(records: Records) -> None:
    data = {"nul": "\x00", "half": "\ud800", "emoji": "🌱", "big": 2**70, "nested": {"a": [None, True]}}
    records.mirror_tasks(KEY, [task(1, data=data)])
    assert records.tasks(KEY)[0].data == data


def test_projects_do_not_meet(records: Records) -> None:
    records.mirror_annotations(KEY, [annotation()])
    records.mirror_annotations("2.5", [annotation()])
    records.forget_annotations(KEY, [4])
    assert len(records.annotations("2.5")) == 1


def test_recorded_events_are_understood(records: Records, shared: Callable[[str], Path]) -> None:
    def body(name: str) -> Json:
        recorded: Json = json.loads(shared(f"fixtures/ls-1.23.2/webhook.{name}.json").read_text())["body"]
        return recorded

    created = body("ANNOTATION_CREATED")
    records.mirror_tasks(KEY, [created["task"]])
    assert records.mirror_annotations(KEY, [created["annotation"]])
    assert not records.mirror_annotations(KEY, [created["annotation"]])
    updated = body("ANNOTATION_UPDATED")
    assert records.mirror_annotations(KEY, [updated["annotation"]])
    assert not records.mirror_annotations(KEY, [created["annotation"]]), "late"
    assert records.annotations(KEY)[0].result[0]["value"] == {"choices": ["Plant"]}
    assert records.forget_annotations(KEY, [row["id"] for row in body("ANNOTATIONS_DELETED")["annotations"]])
    bulk = body("ANNOTATIONS_CREATED")
    records.mirror_tasks(KEY, bulk["task"])
    assert records.mirror_annotations(KEY, bulk["annotation"])
    assert all(row.accepted for row in records.annotations(KEY))
    skipped = body("ANNOTATION_CREATED.skipped")
    assert not records.mirror_annotations(KEY, [skipped["annotation"]])
    imported = body("TASKS_CREATED")
    assert records.mirror_tasks(KEY, imported["tasks"]), "one of them was imported with an annotation"
