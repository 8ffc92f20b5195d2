"""Jobs: how far they have come, at once or as a stream of events; what they answered; and how they are stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from flask import Response
from pydantic import Field

from ...jobs import job_list, job_log
from ...jobs.job_list import ListedJob
from ...jobs.job_status import JobStatus
from .asking import Accepted, Asking
from .given import Given
from .problem import Refused
from .routes import Query, Routes, Told
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


class JobRow(JobShown):
    """A job, and where it stands."""

    what: str
    line: str
    worker: str = Field(description="The process that does it, or did.")
    created_at: datetime | None
    began_at: datetime | None
    ended_at: datetime | None


class JobList(Told):
    """Jobs: those that run, those that wait, then the ended, the newest first."""

    items: list[JobRow]


class JobsAsked(Query):
    limit: int = Field(50, ge=1, le=200, description="How many at most.")
    short: bool = Field(False, description="Also those that answered a request and are over.")


class LogLine(Told):
    at: datetime
    sentence: str


class JobLines(Told):
    """What was logged while a job ran, the oldest first; the last few hundred lines."""

    items: list[LogLine]


class WorkerShown(Told):
    name: str
    lines: list[str] = Field(description="Where it takes jobs from.")


class WorkerList(Told):
    """Workers that are alive."""

    items: list[WorkerShown]


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

    @routes.endpoint("GET", "/workers", WorkerList, role="viewer", id="listWorkers")
    def workers() -> WorkerList:
        """Workers that are alive, on all machines."""
        known = sorted(given.queues.workers().items())
        return WorkerList(items=[WorkerShown(name=name, lines=sorted(lines)) for name, lines in known])

    @routes.endpoint("GET", "/jobs", JobList, role="viewer", query=JobsAsked, id="listJobs")
    def listed(query: JobsAsked) -> JobList:
        """Jobs that run, wait, or ended lately."""
        found = job_list.jobs(given.queues, most=query.limit, short=query.short)
        known, visible = given.records.projects(), given.projects()
        names = {project.key: f"project {project.id}" for project in known}
        hidden = {project.key for project in known} - {project.key for project in visible}
        return JobList(items=[_row(one, names) for one in found if not hidden.intersection(one.what.split(" "))])

    @routes.endpoint("GET", "/jobs/<job>/log", JobLines, role="viewer", id="getJobLog")
    def log(job: str) -> JobLines:
        """What was logged while it ran."""
        lines = job_log.read(given.queues.redis, _status(given, job).id)
        return JobLines(items=[LogLine.model_validate({"at": when, "sentence": what}) for when, what in lines])

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


def _row(one: ListedJob, names: Mapping[str, str]) -> JobRow:
    """names: of projects for people, by key."""
    return JobRow.model_validate(
        {
            **asdict(one.status),
            "what": " ".join(names.get(word, word) for word in one.what.split(" ")),
            "line": one.line,
            "worker": one.worker,
            "created_at": one.created_at,
            "began_at": one.began_at,
            "ended_at": one.ended_at,
        }
    )


def _status(given: Given, job: str) -> JobStatus:
    status = given.queues.status(job) if _ID.fullmatch(job) else JobStatus("", "unknown")
    if status.state == "unknown":
        raise Refused(404, f"there is no job {job[:80]!r}, or it ended more than a week ago")
    return status


def _is_over(told: dict[str, Any]) -> bool:
    return told["state"] not in ("queued", "running")
