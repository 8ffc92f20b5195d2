"""Which tasks a run is about."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping
from typing import Any

from ..errors import BadRequest
from ..store.rows import Project
from .house import House
from .parameters import RunParameters
from .withheld import WRITTEN, in_state, is_answered


def select(house: House, project: Project, parameters: RunParameters) -> list[dict[str, Any]]:
    """The tasks of a run with their annotations, as Label Studio's objects, by id."""
    tasks = load(house, project, parameters.tasks)
    missing = set(parameters.tasks or ()) - {task["id"] for task in tasks}
    if missing:
        raise BadRequest(f"project {project.id} has no tasks {sorted(missing)[:10]}")
    tasks = [task for task in tasks if _passes(house, project, parameters.filter, task)]
    if parameters.filter == "unpredicted" or parameters.existing == "skip":
        predicted = _predicted(house, project)
        tasks = [task for task in tasks if task["id"] not in predicted]
    if parameters.filter.startswith("view="):
        shown = set(house.client(project).task_ids_of_view(project.id, int(parameters.filter[5:])))
        tasks = [task for task in tasks if task["id"] in shown]
    return sorted(tasks, key=lambda task: task["id"])


def load(house: House, project: Project, ids: Collection[int] | None = None) -> list[dict[str, Any]]:
    """Tasks with their annotations as Label Studio would send them; those of `ids` that are known, or all."""
    annotations: dict[int, list[dict[str, Any]]] = {}
    for annotation in house.records.annotations(project.key, ids):
        annotations.setdefault(annotation.task_id, []).append(
            {"id": annotation.id, "result": annotation.result, "was_cancelled": annotation.was_cancelled}
        )
    return [
        {"id": task.id, "data": task.data, "annotations": annotations.get(task.id, [])}
        for task in house.records.tasks(project.key, ids)
    ]


def _passes(house: House, project: Project, condition: str, task: Mapping[str, Any]) -> bool:
    if condition == "unlabeled":
        return not is_answered(task)
    if condition == "labeled":
        return is_answered(task)
    name, equals, pattern = condition.partition("=")
    if equals and name != "view":
        return fnmatch.fnmatchcase(str(task["data"].get(name, "")), pattern)
    return True


def _predicted(house: House, project: Project) -> set[int]:
    """Tasks with predictions of an earlier run that was not undone."""
    return {
        task_id
        for run in house.records.runs(project.key)
        if run.kind == "labeling" and run.state in ("done", "cancelled", "failed")
        for task_id in in_state(house.records, run, WRITTEN)
    }
