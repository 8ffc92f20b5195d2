"""Errands about automated labeling runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...store.rows import Project, Run
from .. import automated, bulk_label
from ..blind import BlindSample, measure
from ..bulk_parameters import BulkParameters
from ..house import House
from ..parameters import RunParameters
from ..progress import Progress

Request = Mapping[str, Any]
Json = dict[str, Any]


def begun(house: House, progress: Progress, plan: Callable[[], Run]) -> Json:
    """A run that waits for its worker from now on, and its job. plan: which names the run after the job of `progress`.

    Done again after a kill, that finds the run that it has planned, as far as it has come by now, and no second job is
    asked for.
    """
    run = house.records.run_of(progress.job_id) or plan()
    return {"run": run.id, "job": house.queues.request_run(run.id)}


def plan_run(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """A run that waits for its worker from now on, and its job."""
    parameters = RunParameters.from_json(request)
    return begun(house, progress, lambda: automated.plan(house, project.key, parameters, job=progress.job_id))


def preview_run(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """Counts of what the run would write, and a few of its frames with their answers."""
    counts, frames = automated.preview(house, project.key, RunParameters.from_json(request), progress)
    return {"counts": counts, "frames": frames}


def undo_run(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """How many predictions or annotations were deleted, and the run's last word."""
    run = str(request["run"])
    return {"run": run, "deleted": automated.undo(house, run), "message": automated.find(house, run).message}


def blind_sample(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """How many of the answers that a run withheld people have given since; withheld 0 where it withheld none."""
    sample = measure(house, automated.find(house, str(request["run"]))) or BlindSample()
    return {**sample.to_json(), "sentence": sample.sentence() if sample.withheld else "nothing was withheld"}


def preview_bulk(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What a bulk label would give, counted."""
    return {"counts": bulk_label.preview(house, project, BulkParameters.from_json(request), progress)}


def plan_bulk(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """A bulk label that waits for its worker from now on, and its job."""

    def plan() -> Run:
        parameters = BulkParameters.from_json(request)
        bulk_label.check(house, project, parameters)
        house.client(project)
        return bulk_label.plan(house.records, project, parameters, job=progress.job_id)

    return begun(house, progress, plan)
