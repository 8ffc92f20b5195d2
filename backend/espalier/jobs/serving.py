"""What the version that serves says: asked by /predict, kept in the records, and pushed where it came too late."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import BadModel, NotTrained
from ..store.rows import Project, Run
from .automated import model_version_of
from .freshness import LIVE, Freshness
from .house import House
from .keeper import Keeper
from .parameters import RunParameters
from .predicting import Predictor
from .progress import Progress
from .reviewed import as_reviewed
from .selection import load
from .unreadable import readable
from .withheld import withheld

log = logging.getLogger(__name__)

_RENEW_S = 600
"""How often at most a model that cannot be used here asks for a training."""


def predict(house: House, project: Project, tasks: Sequence[Mapping[str, Any]], progress: Progress) -> int:
    """Predict tasks as Label Studio sent them, and keep the answers. Returns how many were predicted.

    Where the model that serves cannot be used here (it was made with another encoder), none are, and a training is
    asked for: people's answers are all there. Without tasks, a model that lives is made ready for the next ones.
    """
    if not tasks:
        _make_ready(house, project)
        return 0
    name = version_name(house, project)
    known = house.records.predictions(project.key, name, [task["id"] for task in tasks]) if name else {}
    silent = withheld(house.records, project.key, tasks)
    fresh = Freshness.of(house.records, project, name) if name else Freshness()
    wanted = [task for task in tasks if task["id"] not in silent and not fresh.holds(known.get(task["id"]), task)]
    pending = readable(house.queues.redis, project.key, wanted)
    if not pending:
        return 0
    try:
        predictor = _predictor(house, project)
    except (NotTrained, BadModel) as reason:
        _renew(house, project, reason)
        return 0
    done = 0
    with Keeper(house) as keeper:
        for predicted in predictor.predict(pending, progress):
            keeper.keep(predicted.row)
            done += 1
            progress.report(done, len(pending), f"task {predicted.row.task_id} of project {project.id}")
    return done


def push(house: House, project: Project, version: str, task_ids: Sequence[int], progress: Progress) -> int:
    """Write predictions that were not ready in time for /predict through the API instead; how many there were."""
    client = house.label_studio(project)
    if client is None:
        log.warning(
            "project %s: %d predictions were not ready in time and cannot be pushed without LABEL_STUDIO_API_KEY; "
            "retrieve them again in Label Studio",
            project.id,
            len(task_ids),
        )
        return 0
    predict(house, project, load(house, project, task_ids), progress)  # what another worker has not done yet
    found = house.records.predictions(project.key, version, task_ids)
    name = version_name(house, project)
    if name and name != version:  # a training was promoted meanwhile, and its version predicted
        found |= house.records.predictions(project.key, name, task_ids)
    silent = withheld(house.records, project.key, load(house, project, found))
    # Empty ones too, as /predict would have answered: their low score is what uncertainty sampling goes by.
    rows = [
        {"task": row.task_id, "result": row.result, "score": row.score, "model_version": row.version}
        for row in as_reviewed(house.records, project, found).values()
        if row.task_id not in silent
    ]
    return client.import_predictions(project.id, rows)


def version_name(house: House, project: Project) -> str | None:
    """What predictions are called now: as /setup reports, after the run published last, or the version that serves."""
    run = _published_run(house, project)
    return run.version if run else project.served


def _make_ready(house: House, project: Project) -> None:
    if project.served and house.records.trained_on(project.key, project.served).get(LIVE):
        try:
            _predictor(house, project)
        except (NotTrained, BadModel) as reason:
            _renew(house, project, reason)


def _predictor(house: House, project: Project) -> Predictor:
    run = _published_run(house, project)
    if run is None:
        parameters = RunParameters(parents=house.settings.parents)
        return Predictor(house, project, house.version(project), parameters)
    version = house.version(project, model_version_of(run))
    return Predictor(house, project, version, RunParameters.from_json(run.parameters), name=run.version)


def _published_run(house: House, project: Project) -> Run | None:
    if project.published == project.served:
        return None
    runs = house.records.runs(project.key)
    return next((run for run in runs if run.version == project.published and run.kind == "labeling"), None)


def _renew(house: House, project: Project, reason: Exception) -> None:
    log.warning("project %s cannot be predicted: %s", project.id, reason)
    mark = f"espalier:renewal:{project.key}:{type(reason).__name__}"
    if project.served and house.queues.redis.set(mark, 1, nx=True, ex=_RENEW_S):
        log.warning("project %s is trained anew because of that; retrieve its predictions again then", project.id)
        house.queues.request_training(project.key, delay=False)
