"""Errands about trainings: what there is to learn from, how long it takes, and the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from ...learning.training_parameters import TrainingParameters
from ...store.rows import Project
from ...tuning_parameters import TuningParameters
from .. import tuning
from ..choosing import keep, parameters_of
from ..ensembling import ensemble
from ..forecast import forecast as forecast_now
from ..house import House
from ..label_counts import label_counts
from ..progress import Progress
from ..tuning_estimate import estimate

Request = Mapping[str, Any]
Json = dict[str, Any]


def counts(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What `espalier labels --json` prints, and what was chosen for the project's trainings."""
    return {**label_counts(house, project).to_json(), "parameters": parameters_of(project).to_json()}


def train(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """Keeps what was chosen for every training to come, and asks for one: its job, and what it will learn from."""
    if request.get("parameters") is not None:
        project = keep(house, project, TrainingParameters.from_json(request["parameters"]))
    told = label_counts(house, project, parameters_of(project)).to_json()
    job = house.queues.request_training(project.key, delay=False, reconcile=bool(request.get("reconcile")))
    return {"job": job, "counts": told, "parameters": parameters_of(project).to_json()}


def estimated(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What a fine-tuning would learn from, and how long it would take, in seconds."""
    found = estimate(house, project, TuningParameters.from_json(request["parameters"]), progress)
    return {**asdict(found), "frames": found.frames}


def tune(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """The version that a fine-tuning makes, or goes on with, and its job."""
    if request.get("resume"):
        name = tuning.unfinished(house, project.key, request["resume"]).name
    else:
        parameters = TuningParameters.from_json(request["parameters"])
        name = tuning.plan(house, project.key, parameters, job=progress.job_id).name
    return {"version": name, "job": house.queues.request_tuning(project.key, name)}


def join(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """The version that several make together, as the gate has judged it."""
    made = ensemble(house, project.key, request["versions"], job=progress.job_id)
    return {"version": made.name, "message": made.message}


def cancel_tuning(house: House, project: Project, request: Request, progress: Progress) -> Json:
    return {"message": tuning.cancel(house, project.key, request["version"])}


def forecast(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What more labels would buy, question by question."""
    rows = [
        {
            "classification": row.key[0],
            "parent": list(row.key[1]),
            **{name: _plain(value) for name, value in vars(row.rule).items()},
            "sentence": row.rule.sentence(),
        }
        for row in forecast_now(house, project, progress, more=int(request["more"]))
    ]
    return {"items": rows}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
