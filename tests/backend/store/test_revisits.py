"""Revisits: asked for once, settled once, gone with what they are about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from espalier.store.records import Records
from espalier.store.rows import Revisit

KEY = "10.1795197302"


def revisit(task_id: int, annotation_id: int, mapping_id: str = "m1") -> Revisit:
    moment = datetime(2026, 11, 20, 17, tzinfo=timezone.utc)
    return Revisit(KEY, task_id, annotation_id, "weather", ("Rain",), "Rain was split", moment, mapping_id)


def settled(records: Records) -> list[int]:
    return [row.annotation_id for row in records.revisits(KEY, "done")]


def test_they_are_listed_by_task(records: Records) -> None:
    records.put_revisits([revisit(2, 20), revisit(1, 10)])
    assert records.revisits(KEY) == [revisit(1, 10), revisit(2, 20)]
    assert records.revisits(KEY, "open") == records.revisits(KEY)
    assert records.revisits(KEY, "done") == records.revisits("11.1") == []


def test_asked_for_again_a_settled_one_stays_settled(records: Records) -> None:
    records.put_revisits([revisit(1, 10)])
    assert records.settle_revisits(KEY, annotation_ids=[10]) == 1
    records.put_revisits([revisit(1, 10), revisit(1, 11)])
    assert records.revisits(KEY) == [replace(revisit(1, 10), state="done"), revisit(1, 11)]


def test_another_mapping_may_ask_for_the_same_answer(records: Records) -> None:
    records.put_revisits([revisit(1, 10), revisit(1, 10, "m2"), revisit(1, 10, "")])
    assert records.settle_revisits(KEY, mapping_id="m2") == 1
    assert [row.mapping_id for row in records.revisits(KEY, "open")] == ["", "m1"]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"task_ids": [1]}, [10, 11]),
        ({"annotation_ids": [11, 20]}, [11, 20]),
        ({"task_ids": [1], "annotation_ids": [11, 20]}, [11]),
        ({"mapping_id": "m9"}, []),
        ({"task_ids": []}, []),
        ({}, [10, 11, 20]),
    ],
    ids=["tasks", "annotations", "both", "another mapping", "no task", "all"],
)
def test_what_is_named_is_settled(records: Records, named: dict[str, object], expected: list[int]) -> None:
    records.put_revisits([revisit(1, 10), revisit(1, 11), revisit(2, 20)])
    assert records.settle_revisits(KEY, **named) == len(expected)  # type: ignore[arg-type]
    assert settled(records) == expected


def test_what_label_studio_deleted_needs_no_look(records: Records) -> None:
    records.put_revisits([revisit(1, 10), revisit(2, 20), revisit(3, 30)])
    records.forget_tasks(KEY, [1])
    records.forget_annotations(KEY, [20])
    assert records.revisits(KEY) == [revisit(3, 30)]


def test_what_a_reconcile_misses_needs_no_look(records: Records) -> None:
    at = "2026-11-20T17:00:00Z"
    answers: list[dict[str, Any]] = [{"id": 10 * id, "task": id, "result": [], "updated_at": at} for id in (1, 2)]
    tasks: list[dict[str, Any]] = [{"id": one["task"], "data": {}, "annotations": [one]} for one in answers]
    records.reconcile(KEY, tasks)
    records.put_revisits([revisit(1, 10), revisit(2, 20)])
    records.reconcile(KEY, tasks[:1])
    assert records.revisits(KEY) == [revisit(1, 10)]
