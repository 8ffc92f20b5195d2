"""POST /webhook: what happened in a project. Label Studio's spelling, singular and plural, is known only here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import BadRequest
from .fields import Json, mapping, mappings, project_key, text, whole_number

Change = Literal["annotated", "unannotated", "tasks", "tasks gone", "project", "train", "ignored"]

_CHANGES: dict[str, Change] = {
    "ANNOTATION_CREATED": "annotated",
    "ANNOTATION_UPDATED": "annotated",
    "ANNOTATIONS_CREATED": "annotated",  # "create annotations from predictions": lists under singular names
    "ANNOTATIONS_UPDATED": "annotated",
    "ANNOTATIONS_DELETED": "unannotated",  # ids only
    "ANNOTATION_DELETED": "unannotated",  # never sent by 1.23, but its documentation names it
    "TASKS_CREATED": "tasks",
    "TASK_CREATED": "tasks",
    "TASKS_DELETED": "tasks gone",
    "TASK_DELETED": "tasks gone",
    "PROJECT_UPDATED": "project",
    "START_TRAINING": "train",
}


@dataclass(frozen=True)
class Event:
    """`tasks` and `annotations` are Label Studio's objects as they came; of deleted ones, only `id` is known.

    `project` holds id, title, label_config and created_at alone: the rest carries secrets.
    """

    action: str
    change: Change
    project: Json
    project_key: str
    project_id: int
    tasks: list[Json] = field(default_factory=list)
    annotations: list[Json] = field(default_factory=list)

    @property
    def annotation_ids(self) -> list[int]:
        return [int(annotation["id"]) for annotation in self.annotations]

    @property
    def task_ids(self) -> list[int]:
        return [int(task["id"]) for task in self.tasks]


def parse_event(body: object) -> Event:
    """Raises BadRequest. An action that we do not know has the change "ignored"."""
    fields = mapping(body, "the body of /webhook")
    action = text(fields, "action", "/webhook")
    if not action:
        raise BadRequest("/webhook: action is missing; expected one like ANNOTATION_CREATED")
    change = _CHANGES.get(action, "ignored")
    if change == "ignored":
        return Event(action[:60], change, {}, "", 0)
    if "project" not in fields:
        raise BadRequest(
            f"/webhook: {action} came without its payload; switch on 'Send payload' for this webhook in Label Studio "
            "(Settings > Webhooks)"
        )
    project = mapping(fields["project"], "/webhook: project")
    key = project_key(project)
    annotations = _both(fields, "annotation", change in ("annotated", "unannotated"), action)
    tasks = _both(fields, "task", change in ("tasks", "tasks gone"), action)
    if change == "annotated":
        annotations = [_with_task(annotation, tasks) for annotation in annotations]
    return Event(
        action=action,
        change=change,
        project={name: project.get(name) for name in ("id", "title", "label_config", "created_at")},
        project_key=key,
        project_id=whole_number(project.get("id"), "/webhook: project.id"),
        tasks=tasks,
        annotations=annotations,
    )


def _both(fields: Json, noun: str, needed: bool, action: str) -> list[Json]:
    """What stands under `annotation` and under `annotations`, each an object or a list."""
    found = [
        thing for name in (noun, f"{noun}s") for thing in mappings(fields.get(name), f"/webhook: {name} of {action}")
    ]
    if needed and not any(name in fields for name in (noun, f"{noun}s")):
        raise BadRequest(f"/webhook: {action} names no {noun}")
    for thing in found:
        thing["id"] = whole_number(thing.get("id"), f"/webhook: {noun}.id of {action}")
    return found


def _with_task(annotation: Json, tasks: list[Json]) -> Json:
    """An annotation says itself which task it is of; where it does not, the only task of the event is meant."""
    task: Any = annotation.get("task")
    if isinstance(task, dict):
        task = task.get("id")
    if task is None and len(tasks) == 1:
        task = tasks[0]["id"]
    return {**annotation, "task": whole_number(task, f"/webhook: annotation {annotation['id']}: task")}
