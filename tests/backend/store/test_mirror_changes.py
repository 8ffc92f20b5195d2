"""Following the mirror by its positions: every task whose answers may be others than before is told."""

from __future__ import annotations

from typing import Any

from espalier.store.records import Records

KEY = "1.1795197302"
Json = dict[str, Any]


def annotation(id: int, task: int, answer: str = "Plant", minute: int = 0) -> Json:
    result = [{"from_name": "cls", "to_name": "img", "type": "choices", "value": {"choices": [answer]}}]
    return {"id": id, "task": task, "result": result, "updated_at": f"2026-11-20T17:{minute:02}:00Z"}


def task(id: int, *annotations: Json) -> Json:
    return {"id": id, "data": {"image": f"{id}.jpg"}, "annotations": list(annotations)}


def mirrored(records: Records) -> int:
    """Three tasks with an answer each; the position after it."""
    records.mirror_tasks(KEY, [task(1), task(2), task(3)])
    records.mirror_annotations(KEY, [annotation(1, 1), annotation(2, 2), annotation(3, 3)])
    return records.position(KEY)


def test_events_tell_what_they_changed(records: Records) -> None:
    since = mirrored(records)
    assert records.tasks_changed_since(KEY, 0) == {1, 2, 3}
    assert records.tasks_changed_since(KEY, since) == set()
    records.mirror_annotations(KEY, [annotation(1, 1, "Animal", minute=1)])
    assert records.tasks_changed_since(KEY, since) == {1}
    records.forget_annotations(KEY, [2])
    records.forget_tasks(KEY, [3])
    assert records.tasks_changed_since(KEY, since) == {1, 2, 3}


def test_what_a_reconcile_changed_or_lost_is_told(records: Records) -> None:
    since = mirrored(records)
    records.reconcile(KEY, [task(1, annotation(1, 1, "Animal")), task(2), task(4)])
    assert records.tasks_changed_since(KEY, since) == {1, 2, 3, 4}, "changed, unanswered, gone, new"
    assert records.tasks_changed_since(KEY, records.position(KEY)) == set()


def test_a_reconcile_that_changes_nothing_tells_nothing(records: Records) -> None:
    since = mirrored(records)
    truth = [task(id, annotation(id, id)) for id in (1, 2, 3)]
    assert not records.reconcile(KEY, truth)
    assert records.tasks_changed_since(KEY, since) == set()


def test_what_a_reconcile_lost_may_come_back(records: Records) -> None:
    mirrored(records)
    records.reconcile(KEY, [task(1), task(2, annotation(2, 2))])
    since = records.position(KEY)
    records.mirror_tasks(KEY, [task(3)])
    assert records.mirror_annotations(KEY, [annotation(1, 1, minute=1), annotation(3, 3, minute=1)])
    assert records.tasks_changed_since(KEY, since) == {1, 3}
    since = records.position(KEY)
    assert not records.reconcile(KEY, [task(id, annotation(id, id, minute=id % 2)) for id in (1, 2, 3)])
    assert records.tasks_changed_since(KEY, since) == set()
    records.reconcile(KEY, [task(2, annotation(2, 2))])
    assert records.tasks_changed_since(KEY, since) == {1, 3}, "lost once more"


def test_projects_do_not_hear_of_each_other(records: Records) -> None:
    mirrored(records)
    assert records.tasks_changed_since("2.1795197302", 0) == set()
    assert records.position("2.1795197302") == 0
