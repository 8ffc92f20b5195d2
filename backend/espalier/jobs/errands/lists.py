"""Errands about lists of tasks: what to label next, what is likely wrong, what to look at again, poor pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...errors import BadRequest
from ...store.rows import Project
from .. import lists
from ..house import House
from ..progress import Progress
from ..quality import quality as look_at
from ..revisit import refresh
from .runs import begun

Request = Mapping[str, Any]


def draw(house: House, project: Project, request: Request, progress: Progress) -> dict[str, Any]:
    """The list as it would be written now; nothing is written."""
    return lists.draw(house, project.key, request["kind"], int(request["count"]), progress).to_json()


def write(house: House, project: Project, request: Request, progress: Progress) -> dict[str, Any]:
    """The run that writes the list to Label Studio, and its job."""
    kind, count = request["kind"], int(request["count"])
    return begun(house, progress, lambda: lists.plan(house, project.key, kind, count, job=progress.job_id))


def quality(house: House, project: Project, request: Request, progress: Progress) -> dict[str, Any]:
    """Duplicates, outliers and poor pictures."""
    return look_at(house, project.key, progress).to_json()


def revisits(house: House, project: Project, request: Request, progress: Progress) -> dict[str, Any]:
    """Answers that somebody should look at again, since the ontology changed; with `all` those settled, too."""
    refresh(house, project)
    entries = house.records.revisits(project.key, None if request.get("all") else "open")
    return {"items": [{**asdict(entry), "created_at": entry.created_at.isoformat()} for entry in entries]}


def settle_revisits(house: House, project: Project, request: Request, progress: Progress) -> dict[str, Any]:
    """How many answers of these tasks are right as they are. Raises BadRequest for a task that is not on the list."""
    refresh(house, project)
    listed = {entry.task_id for entry in house.records.revisits(project.key, "open")}
    if unknown := set(request["tasks"]) - listed:
        raise BadRequest(f"task {min(unknown)} is not on the list of answers to look at again")
    return {"settled": house.records.settle_revisits(project.key, task_ids=request["tasks"])}
