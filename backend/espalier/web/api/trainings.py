"""Trainings: asked for here, done by a worker on every answer so far."""

from __future__ import annotations

from pydantic import Field

from .asking import Accepted, accepted
from .given import Given
from .routes import Asked, Routes


class TrainingAsked(Asked):
    reconcile: bool = Field(False, description="Read all of the project from Label Studio first.")


def register(routes: Routes, given: Given) -> None:
    @routes.endpoint(
        "POST", "/projects/<project>/trainings", Accepted, role="manager", status=202,
        takes=TrainingAsked, refuses=(409,), id="startTraining",
    )  # fmt: skip
    def train(project: str, body: TrainingAsked) -> Accepted:
        """Train now, on every answer so far. A training that waits already is the same one."""
        found = given.project(project)
        job = given.queues.request_training(found.key, delay=False, reconcile=body.reconcile)
        return accepted(given.queues.status(job), bool(given.queues.workers()))
