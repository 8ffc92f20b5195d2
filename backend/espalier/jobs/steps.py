"""What a worker runs. Each step is enqueued by its name, takes plain JSON, and calls one function.

This is the shell: it fetches, calls, and writes back; the thinking is in the rooms below.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import Cancelled, NotTrained
from ..search import asking
from . import automated, figures, knowing, living, mirroring, serving, training, tuning
from .errands.doing import do
from .house import current
from .progress import current as current_progress

log = logging.getLogger(__name__)


def connect(project_key: str) -> str:
    """A project was seen for the first time: read what people have already answered, and train on it.

    Where nobody has, a pretrained network may know the options by their names, and answers in the first minute; and a
    classifier that lives must be there when the first answer is given.
    """
    house = current()
    project = house.project(project_key)
    mirroring.connect(house, project)
    now = house.project(project_key)
    answers_at_once = knowing.is_known(house, now) or living.is_live(house, now)
    if now.revision > project.trained_revision or (now.served is None and answers_at_once):
        house.queues.request_training(project_key)
    return f"project {project.id} is connected"


def train(project_key: str, reconcile: bool = False) -> str:
    """Train on all answers so far, once the burst of annotations that asked for it is over.

    A classifier that lives reads everything anew where a training is due because options or their names changed, and
    is loaded where it is done: nobody who annotates shall wait for that.
    """
    house = current()
    if is_live := living.is_live(house, house.project(project_key)):
        house.queues.request_prediction(project_key, [])
    with house.queues.turn.taken(project_key):
        try:
            version = training.train(house, project_key, current_progress(), reconcile=reconcile)
            figures.count(house.queues.redis, trainings=1)
            outcome = f"{version.name}: {version.message}"
        except NotTrained as reason:
            log.info("project %s: no new model version: %s", project_key, reason)
            outcome = str(reason)
    if is_live:
        house.queues.request_prediction(project_key, [])
    # Only now: Label Studio takes longer to tell of thousands of tasks than it takes to train on them.
    if mirroring.catch_up(house, house.project(project_key)):
        house.queues.request_training(project_key)
    return outcome


def tune(project_key: str, version: str) -> str:
    """Fine-tune a network, as it was planned under the name of its version."""
    house = current()
    made = tuning.tune(house, project_key, None, current_progress(), name=version)
    figures.count(house.queues.redis, trainings=1)
    if tuning.was_cancelled(made):
        raise Cancelled(f"{made.name}: {made.message}")
    return f"{made.name}: {made.message}"


def predict(project_key: str, tasks: Sequence[dict[str, Any]]) -> int:
    """Predict tasks as Label Studio sent them, and keep the answers. Returns how many were predicted."""
    house = current()
    return serving.predict(house, house.project(project_key), tasks, current_progress())


def push(project_key: str, version: str, task_ids: Sequence[int]) -> int:
    """Write predictions that were not ready in time for /predict through the API instead."""
    house = current()
    return serving.push(house, house.project(project_key), version, task_ids, current_progress())


def run(run_id: str) -> str:
    """An automated labeling run."""
    return automated.execute(current(), run_id, current_progress()).message


def errand(project_key: str, name: str, request: Mapping[str, Any]) -> Any:
    """What the REST API asks for, by its name."""
    return do(current(), project_key, name, request, current_progress())


def search(project_key: str, kind: str, request: dict[str, Any]) -> dict[str, Any]:
    """Whatever is asked of a project's frames."""
    house = current()
    return asking.ask(house, house.project(project_key), kind, request, current_progress())
