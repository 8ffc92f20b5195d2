"""Errands about reviews of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...store.rows import Project
from .. import reviewing
from ..house import House
from ..progress import Progress


def plan_review(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """A review that waits for its worker from now on, and its job."""
    house.client(project)
    run = reviewing.plan(house, project, request)
    return {"run": run.id, "job": house.queues.request_run(run.id)}
