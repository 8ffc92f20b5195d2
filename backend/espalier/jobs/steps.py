"""What a worker runs. Each step is enqueued by its name, takes plain JSON, and calls one function.

This is the shell: it fetches, calls, and writes back; the thinking is in the rooms below.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from ..errors import NotTrained
from ..labelstudio.wire import inputs_digest
from . import automated, figures, mirroring, training
from .house import current
from .keeper import Keeper
from .parameters import RunParameters
from .predicting import Predictor
from .progress import current as current_progress
from .selection import load

log = logging.getLogger(__name__)


def connect(project_key: str) -> str:
    """A project was seen for the first time: read what people have already answered, and train on it."""
    house = current()
    project = house.project(project_key)
    mirroring.connect(house, project)
    if house.records.project(project_key).revision > project.trained_revision:  # type: ignore[union-attr]
        house.queues.request_training(project_key)
    return f"project {project.id} is connected"


def train(project_key: str, reconcile: bool = False) -> str:
    """Train on all answers so far, once the burst of annotations that asked for it is over."""
    house = current()
    with house.queues.training_turn(project_key):
        try:
            version = training.train(house, project_key, current_progress(), reconcile=reconcile)
        except NotTrained as reason:
            log.info("project %s: no new model version: %s", project_key, reason)
            return str(reason)
    figures.count(house.queues.redis, trainings=1)
    return f"{version.name}: {version.message}"


def predict(project_key: str, tasks: Sequence[dict[str, Any]]) -> int:
    """Predict tasks as Label Studio sent them, and keep the answers. Returns how many were predicted."""
    house = current()
    project = house.project(project_key)
    predictor, name = _serving(project_key)
    known = house.records.predictions(project_key, name, [task["id"] for task in tasks])
    progress, done = current_progress(), 0
    with Keeper(house) as keeper:
        for predicted in predictor.predict([task for task in tasks if not _is_fresh(known, task)], progress):
            keeper.keep(predicted.row)
            done += 1
            progress.report(done, len(tasks), f"task {predicted.row.task_id} of project {project.id}")
    return done


def push(project_key: str, version: str, task_ids: Sequence[int]) -> int:
    """Write predictions that were not ready in time for /predict through the API instead."""
    house = current()
    project = house.project(project_key)
    client = house.label_studio(project)
    if client is None:
        log.warning(
            "project %s: %d predictions were not ready in time and cannot be pushed without LABEL_STUDIO_API_KEY; "
            "retrieve them again in Label Studio",
            project.id,
            len(task_ids),
        )
        return 0
    predict(project_key, load(house, project, task_ids))  # what another worker has not done yet
    rows = [
        {"task": row.task_id, "result": row.result, "score": row.score, "model_version": row.version}
        for row in house.records.predictions(project_key, version, task_ids).values()
        if row.result
    ]
    return client.import_predictions(project.id, rows)


def run(run_id: str) -> str:
    """An automated labeling run."""
    return automated.execute(current(), run_id, current_progress()).message


def _serving(project_key: str) -> tuple[Predictor, str]:
    """What /setup reports decides: the served version, or the parameters of the run that was published last."""
    house = current()
    project = house.project(project_key)
    for published in house.records.runs(project_key):
        if published.version == project.published and published.version != project.served:
            parameters = RunParameters.from_json(published.parameters)
            version = house.version(project, parameters.version or published.version.rpartition("-run")[0])
            return Predictor(house, project, version, parameters, name=published.version), published.version
    version = house.version(project)
    parameters = RunParameters(parents=house.settings.parents)
    return Predictor(house, project, version, parameters), version.name


def _is_fresh(known: dict[int, Any], task: dict[str, Any]) -> bool:
    row = known.get(task["id"])
    return row is not None and row.inputs == inputs_digest(task)
