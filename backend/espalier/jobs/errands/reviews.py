"""Errands about reviews of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...store.rows import Project
from .. import reviewing
from ..house import House
from ..progress import Progress
from ..queue import job_of_run


def plan_review(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """A review that waits for its worker from now on, and its job."""
    house.client(project)
    run = reviewing.plan(house, project, request, job=progress.job_id)
    job = job_of_run(run.id)
    if house.queues.status(job).state not in ("queued", "running", "done"):  # else a kill came right after it was asked
        house.queues.request_run(run.id)
    return {"run": run.id, "job": job}
