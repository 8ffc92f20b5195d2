"""Errands about reviews of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...store.rows import Project, Run
from .. import reviewing
from ..house import House
from ..progress import Progress
from .runs import begun


def plan_review(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """A review that waits for its worker from now on, and its job."""

    def plan() -> Run:
        house.client(project)
        return reviewing.plan(house, project, request, job=progress.job_id)

    return begun(house, progress, plan)
