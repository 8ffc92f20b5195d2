"""Label Studio's JSON objects, as they come, into rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ..errors import BadRequest
from .rows import Annotation, Task

Json = Mapping[str, Any]


def task_row(key: str, task: Json) -> Task:
    data = task.get("data")
    return Task(key, id_of(task, "task"), dict(data) if isinstance(data, Mapping) else {})


def annotation_row(key: str, annotation: Json, task_id: int | None) -> Annotation:
    """`task_id` where the annotation does not say it itself (inside an exported task, for one)."""
    number = id_of(annotation, "annotation")
    of_task = _reference(annotation.get("task")) or task_id
    if of_task is None:
        raise BadRequest(f"annotation {number} names no task: expected a field `task` with its id")
    result = annotation.get("result")
    return Annotation(
        project_key=key,
        id=number,
        task_id=of_task,
        result=[item for item in result if isinstance(item, dict)] if isinstance(result, list) else [],
        was_cancelled=bool(annotation.get("was_cancelled")),
        ground_truth=bool(annotation.get("ground_truth")),
        accepted=is_accepted(annotation),
        confirmed=is_confirmed(annotation),
        completed_by=_reference(annotation.get("completed_by")),
        updated_at=_time(annotation.get("updated_at") or annotation.get("created_at")),
    )


def is_accepted(annotation: Json) -> bool:
    """Made from a prediction in bulk, and never saved by a person since.

    The Data Manager's "create annotations from predictions" copies regions as they were written: without an origin. The
    editor gives every region one, on every save.
    """
    return _origins(annotation) == {None}


def is_confirmed(annotation: Json) -> bool:
    """Submitted in the editor as it was predicted: it writes "prediction" on the regions that nobody touched.

    Others are "manual" or "prediction-changed"; one of these, and the annotation is a person's own.
    """
    return "prediction" in (origins := _origins(annotation)) and origins <= {None, "prediction"}


def _origins(annotation: Json) -> set[object]:
    """What the regions of an annotation that was made from a prediction say of themselves; else nothing."""
    result = annotation.get("result")
    if not annotation.get("parent_prediction") or not isinstance(result, list):
        return set()
    return {item.get("origin") if isinstance(item, dict) else "" for item in result}


def newest(annotations: Iterable[Annotation]) -> dict[int, Annotation]:
    """By id; of several states of one annotation, the newest."""
    kept: dict[int, Annotation] = {}
    for annotation in annotations:
        if not is_older(annotation, kept.get(annotation.id)):
            kept[annotation.id] = annotation
    return kept


def is_older(annotation: Annotation, held: Annotation | None) -> bool:
    """Events come without an order; `updated_at` is the one that they have. Equal times are not older."""
    if held is None or held.updated_at is None or annotation.updated_at is None:
        return False
    return annotation.updated_at < held.updated_at


def says_it_has_annotations(task: Json) -> bool:
    """An import of tasks with annotations sends no event for the annotations, only this count."""
    return isinstance(task.get("total_annotations"), int) and task["total_annotations"] > 0


def id_of(thing: Json, noun: str) -> int:
    number = _reference(thing.get("id"))
    if number is None:
        raise BadRequest(f"{noun} without an id: got id={thing.get('id')!r}, expected a whole number")
    return number


def _reference(value: object) -> int | None:
    """5, "5" and {"id": 5} all mean 5."""
    if isinstance(value, Mapping):
        return _reference(value.get("id"))
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
