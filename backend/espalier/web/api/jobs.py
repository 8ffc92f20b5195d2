"""Jobs: how far they have come, at once or as a stream of events; what they answered; and how they are stopped."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any, Literal

from flask import Response
from pydantic import Field

from ...jobs.queue import JobStatus
from .asking import Accepted, Asking
from .given import Given
from .problem import Refused
from .routes import Routes, Told
from .streams import Streams

_ID = re.compile(r"[0-9A-Za-z_-]{1,200}")


class JobShown(Told):
    """How far a job has come."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int
    total: int = Field(description="0 where it is not known.")
    message: str
    eta_s: float | None = Field(description="Seconds left, where something can be said.")


class JobResult(Told):
    """What a job answered."""

    job: str
    result: Any


class Line(Told):
    line: str
    waiting: int
    workers: int


class Lines(Told):
    """The lines that jobs stand in."""

    items: list[Line]


def register(routes: Routes, given: Given, asking: Asking, streams: Streams) -> None:
    @routes.endpoint("GET", "/queue", Lines, role="viewer", id="getQueue")
    def queue() -> Lines:
        """How many jobs wait in each line, and how many workers take from it."""
        workers = [line for served in given.queues.workers().values() for line in served]
        return Lines(
            items=[
                Line(line=name, waiting=count, workers=workers.count(name))
                for name, count in sorted(given.queues.waiting().items())
            ]
        )

    @routes.endpoint("GET", "/jobs/<job>", JobShown, role="viewer", id="getJob")
    def job(job: str) -> JobShown:
        """How far a job has come."""
        return shown(_status(given, job))

    @routes.endpoint(
        "GET", "/jobs/<job>/events", {"text/event-stream": {"schema": {"type": "string"}}}, role="viewer",
        refuses=(429,), id="watchJob",
    )  # fmt: skip
    def events(job: str) -> Response:
        """A job's progress as server-sent events.

        `progress` whenever something is new, and `end` once it is over; each holds what GET /jobs/{job} answers.
        """
        _status(given, job)
        return streams.of(lambda: shown(_status(given, job)).model_dump(), is_over=_is_over)

    @routes.endpoint(
        "GET", "/jobs/<job>/result", JobResult, role="viewer", also={202: Accepted}, refuses=(409, 422),
        id="getJobResult",
    )  # fmt: skip
    def result(job: str) -> Any:
        """What a job answered; 202 while it has not."""
        found = asking.judge(_status(given, job))
        if isinstance(found, Accepted):
            return found, 202
        return JobResult(job=found.id, result=given.queues.result(found.id))

    @routes.endpoint("POST", "/jobs/<job>/cancel", JobShown, role="annotator", id="cancelJob")
    def cancel(job: str) -> JobShown:
        """Stop a job. A waiting one never begins; a running one stops at its next step. What is over stays as it is."""
        return shown(given.queues.cancel(_status(given, job).id))


def shown(status: JobStatus) -> JobShown:
    return JobShown.model_validate(asdict(status))


def _status(given: Given, job: str) -> JobStatus:
    status = given.queues.status(job) if _ID.fullmatch(job) else JobStatus("", "unknown")
    if status.state == "unknown":
        raise Refused(404, f"there is no job {job[:80]!r}, or it ended more than a week ago")
    return status


def _is_over(told: dict[str, Any]) -> bool:
    return told["state"] not in ("queued", "running")
