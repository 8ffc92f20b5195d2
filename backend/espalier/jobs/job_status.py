"""What is known of a job, by its id: how far it has come, and what it returned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.job import JobStatus as RqStatus
from rq.serializers import JSONSerializer

from . import progress

State = Literal["queued", "running", "done", "failed", "cancelled", "unknown"]
_STATES: dict[Any, State] = {
    RqStatus.STARTED: "running",
    RqStatus.FINISHED: "done",
    RqStatus.FAILED: "failed",
    RqStatus.STOPPED: "cancelled",
    RqStatus.CANCELED: "cancelled",
}


@dataclass(frozen=True)
class JobStatus:
    """`message` is for people; `eta_s` is None where nothing can be said. `total` is 0 where it is not known."""

    id: str
    state: State
    done: int = 0
    total: int = 0
    message: str = ""
    eta_s: float | None = None


def read(redis: Redis, job_id: str) -> JobStatus:
    job = fetch(redis, job_id)
    if job is None:
        return JobStatus(job_id, "unknown", message="there is no such job, or it ended more than a week ago")
    state = state_of(job)
    told = progress.read(redis, job_id)
    message = told.message
    if state == "running" and told.cancelled:
        message = "being cancelled"
    return JobStatus(job_id, state, told.done, told.total, message, told.eta_s if state == "running" else None)


def state_of(job: Job, *, now: bool = False) -> State:
    """As it was when it was fetched, or as it is now."""
    return _STATES.get(job.get_status(refresh=now), "queued")


def result(redis: Redis, job_id: str) -> object:
    """What the job returned; None where it did not, or has not yet."""
    job = fetch(redis, job_id)
    return job.return_value() if job else None


def fetch(redis: Redis, job_id: str) -> Job | None:
    try:
        return Job.fetch(job_id, connection=redis, serializer=JSONSerializer)
    except NoSuchJobError:
        return None


def drop(redis: Redis, job_id: str) -> None:
    """Forgets a job that has ended, with its result and what it said: its id may be used again."""
    if (job := fetch(redis, job_id)) is not None:
        job.delete()
    redis.delete(progress.progress_key(job_id))
