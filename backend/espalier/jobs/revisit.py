"""The revisit list: answers that somebody should look at again, since the ontology changed under them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

from espalier_ontology.label_mapping import LookAgain

from ..store.rows import Annotation, Project, Revisit
from .configurations import todays
from .house import House
from .label_mappings import readings
from .reading import unopened


class Refreshed(NamedTuple):
    """How many entries of the list are new, and how many are settled."""

    put: int
    settled: int


def refresh(house: House, project: Project) -> Refreshed:
    """Puts on the list what the mappings ask for, and settles what was looked at.

    Looked at is an annotation that is gone, or that names an option of today instead. Where no mapping asked for it,
    any later update will do.
    """
    before = house.records.revisits(project.key)
    pending = {_place(entry) for entry in before if entry.state == "open"}
    if not pending and not any(mapping.kind == "split" for mapping in house.records.mappings(project.key)):
        return Refreshed(0, 0)
    reader = readings(house, project, todays(house, project))
    annotations = {one.id: one for one in house.records.annotations(project.key) if not one.was_cancelled}
    wanted = [
        _entry(project, annotation, again)
        for annotation in annotations.values()
        for again in reader.read(annotation.result, unopened(annotation.task_id), annotation.updated_at).again
    ]
    house.records.put_revisits(wanted)
    asked = set(map(_place, wanted))
    since = {_place(entry): entry.created_at for entry in before if not entry.mapping_id}
    settled = 0
    for annotation_id, mapping_id in sorted(pending):
        place = (annotation_id, mapping_id)
        annotation = annotations.get(annotation_id)
        unseen = place in asked or (place in since and not _updated(annotation, since[place]))
        if annotation is None or not unseen:
            settled += house.records.settle_revisits(project.key, annotation_ids=[annotation_id], mapping_id=mapping_id)
    known = set(map(_key, before))
    return Refreshed(len(set(map(_key, wanted)) - known), settled)


def link(project: Project, task_id: int) -> str:
    """Where the task is in Label Studio; empty where nobody knows where that is."""
    return f"{project.hostname.rstrip('/')}/projects/{project.id}/data?task={task_id}" if project.hostname else ""


def _entry(project: Project, annotation: Annotation, again: LookAgain) -> Revisit:
    answer, mapping = again
    made = mapping.created_at or datetime.now(timezone.utc)
    choices = " or ".join("/".join(path) for path in mapping.new)
    return Revisit(
        project_key=project.key,
        task_id=annotation.task_id,
        annotation_id=annotation.id,
        classification=answer.classification,
        option=answer.option,
        reason=f"{mapping.shown(mapping.old)} was split on {made:%Y-%m-%d}: {choices}?",
        created_at=made,
        mapping_id=mapping.id,
    )


def _place(entry: Revisit) -> tuple[int, str]:
    """What is settled together."""
    return entry.annotation_id, entry.mapping_id


def _key(entry: Revisit) -> tuple[int, str, str, tuple[str, ...]]:
    return entry.annotation_id, entry.mapping_id, entry.classification, entry.option


def _updated(annotation: Annotation | None, since: datetime) -> bool:
    return annotation is not None and annotation.updated_at is not None and annotation.updated_at > since
