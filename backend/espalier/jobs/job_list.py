"""The jobs that run, wait, or ended lately, on all lines and machines: for those who watch the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from rq.job import Job
from rq.serializers import JSONSerializer

from .job_status import JobStatus
from .queue import Queues

_SHORT = {"predict", "push", "errand", "search"}
"""Steps that answer somebody's request: there are thousands, and each is over in a moment."""


@dataclass(frozen=True)
class ListedJob:
    """what: in words. worker: which process does it, or did. Times are None where it did not begin or end yet."""

    status: JobStatus
    step: str
    what: str
    line: str
    worker: str
    created_at: datetime | None
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def is_short(self) -> bool:
        return self.step in _SHORT


def jobs(queues: Queues, *, most: int = 100, short: bool = False) -> list[ListedJob]:
    """Those that run, then those that wait, then the ended, the newest first; at most `most` of them.

    short: also those that answer a request, once they are over; while they run or wait they are always there.
    """
    now, over = [], []
    for line, queue in queues.lines().items():
        running = _fetched(queues, queue.started_job_registry.get_job_ids(cleanup=False))
        later = _fetched(queues, queue.scheduled_job_registry.get_job_ids(cleanup=False))
        waiting = _fetched(queues, queue.get_job_ids(0, most))
        now += [_listed(queues, job, line) for job in (*running, *waiting, *later)]
        for registry in (queue.finished_job_registry, queue.failed_job_registry, queue.canceled_job_registry):
            # Kept by when they are forgotten, which is a fixed time after their end.
            newest = registry.get_job_ids(-4 * most, -1, cleanup=False)
            over += [_listed(queues, job, line) for job in _fetched(queues, newest)]
    now.sort(key=lambda one: (one.status.state != "running", one.created_at or _LONG_AGO))
    over = [one for one in over if short or not one.is_short or one.status.state == "failed"]
    over.sort(key=lambda one: one.ended_at or _LONG_AGO, reverse=True)
    seen: dict[str, ListedJob] = {}
    for one in (*now, *over):
        seen.setdefault(one.status.id, one)
    return list(seen.values())[:most]


_LONG_AGO = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _fetched(queues: Queues, ids: Iterable[str]) -> Iterator[Job]:
    found = Job.fetch_many(list(ids), queues.redis, JSONSerializer)
    yield from (job for job in found if job is not None)


def _listed(queues: Queues, job: Job, line: str) -> ListedJob:
    return ListedJob(
        queues.status(job.id),
        str(job.func_name).rpartition(".")[2],
        job.description or "",
        line,
        job.worker_name or "",
        _aware(job.created_at),
        _aware(job.started_at),
        _aware(job.ended_at),
    )


def _aware(time: datetime | None) -> datetime | None:
    """RQ's older times name no zone, and mean UTC."""
    return time.replace(tzinfo=timezone.utc) if time is not None and time.tzinfo is None else time
