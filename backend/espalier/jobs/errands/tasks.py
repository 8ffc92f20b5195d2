"""Errands about single tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...store.rows import Project
from ..cataloguing import note
from ..house import House
from ..opening import open_tasks
from ..progress import Progress


def open_task(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Opens a task's media, so that the catalogue knows them from now on; what cannot be opened is told."""
    tasks = [(task.id, task.data) for task in house.records.tasks(project.key, [int(request["task"])])]
    opened = open_tasks(tasks, house.ontology(project, (data for _, data in tasks)), house.fetcher(project))
    note(house, project, opened)
    return {"task": int(request["task"]), "failures": [failure for one in opened for failure in one.failures]}
