"""Errands about automated labeling runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...store.rows import Project
from .. import automated
from ..blind import measure
from ..house import House
from ..parameters import RunParameters
from ..progress import Progress

Request = Mapping[str, Any]


def plan_run(house: House, project: Project, request: Request, progress: Progress) -> str:
    """The id of a run that waits for its worker from now on."""
    run = automated.plan(house, project.key, RunParameters.from_json(request))
    house.queues.request_run(run.id)
    return run.id


def preview_run(house: House, project: Project, request: Request, progress: Progress) -> dict[str, Any]:
    """Counts of what the run would write."""
    return automated.dry_run(house, project.key, RunParameters.from_json(request), progress)


def undo_run(house: House, project: Project, request: Request, progress: Progress) -> int:
    """How many predictions or annotations were deleted."""
    return automated.undo(house, str(request["run"]))


def blind_sample(house: House, project: Project, request: Request, progress: Progress) -> dict[str, Any] | None:
    """How many of the answers that a run withheld people have given since; null where it withheld none."""
    sample = measure(house, automated.find(house, str(request["run"])))
    return None if sample is None else {**sample.to_json(), "sentence": sample.sentence()}
