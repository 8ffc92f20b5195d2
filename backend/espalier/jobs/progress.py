"""How far a job has come, for those who watch it; and where it learns that it is no longer wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from redis import Redis
from rq.utils import as_text

from ..errors import Cancelled

WRITES_PER_S = 5
KEPT_S = 7 * 24 * 3600
Field = bytes | bytearray | memoryview | str | int | float  # what redis-py takes as a key or value of a hash


class Requeue(BaseException):
    """Raised through a job that must stop now and be done again later: its worker leaves, or others go first.

    Not an Exception, so that no step keeps it by accident; the worker alone catches it.
    """


@dataclass(frozen=True)
class Reading:
    """What was last reported. `eta_s` is the worker's estimate at that time; None while nothing can be said."""

    done: int = 0
    total: int = 0
    message: str = ""
    eta_s: float | None = None
    cancelled: bool = False


class Progress:
    """Of one job. Outside a job (tests, the command line) it does nothing, and nothing has to be asked.

    Threads of one job may share it.
    """

    def __init__(
        self,
        redis: Redis | None = None,
        job_id: str = "",
        *,
        may_go_on: Callable[[], bool] = lambda: True,
        others_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        self._redis, self._key = redis, progress_key(job_id)
        self.job_id = job_id
        self._may_go_on, self._others_wait = may_go_on, others_wait
        self._lock = threading.Lock()
        self._written_at = float("-inf")
        self._began: tuple[float, int] | None = None
        self._phase: tuple[str, int] | None = None

    def report(self, done: int, total: int, message: str = "") -> None:
        """`done` of `total` (0 where it cannot be known). Cheap: call it as often as you like.

        Raises Cancelled when a person asked for it, and Requeue when this worker is being stopped.
        """
        if self._redis is None:
            return
        if not self._may_go_on():
            raise Requeue("this worker is being stopped")
        with self._lock:
            now = time.monotonic()
            if self._phase != (message, total) or self._began is None or done < self._began[1]:
                self._phase, self._began = (message, total), (now, done)
            elif now - self._written_at < 1 / WRITES_PER_S and done != total:
                return
            self._written_at = now
            eta_s = self._eta_s(now, done, total)
        values: dict[Field, Field] = {
            "done": done,
            "total": total,
            "message": message,
            "eta_s": "" if eta_s is None else f"{eta_s:.1f}",
        }
        with self._redis.pipeline() as pipeline:
            pipeline.hget(self._key, "cancelled")
            pipeline.hset(self._key, mapping=values)
            pipeline.expire(self._key, KEPT_S)
            cancelled = pipeline.execute()[0]
        if cancelled:
            raise Cancelled("cancelled by a person; what was finished is kept")

    def once(self, name: str, find: Callable[[], str]) -> str:
        """What `find` gives; kept, so that a job that is done again after a kill has the same."""
        if self._redis is None:
            return find()
        kept = self._redis.hget(self._key, name)
        if kept is None:
            self._redis.hset(self._key, name, kept := find())
            self._redis.expire(self._key, KEPT_S)
        return str(as_text(kept))

    def make_way(self) -> None:
        """For long jobs that can be taken up where they stopped: raises Requeue while more urgent jobs wait."""
        if self._others_wait():
            raise Requeue("more urgent jobs go first")

    def _eta_s(self, now: float, done: int, total: int) -> float | None:
        assert self._began is not None
        began_at, began_with = self._began
        if total <= 0 or done <= began_with:
            return None
        return max(0.0, (now - began_at) / (done - began_with) * (total - done))


def progress_key(job_id: str) -> str:
    return f"espalier:progress:{job_id}"


_current: ContextVar[Progress | None] = ContextVar("progress", default=None)
_SILENT = Progress()


def current() -> Progress:
    """Of the job that this process is doing; a silent one outside a job."""
    return _current.get() or _SILENT


@contextmanager
def during(progress: Progress) -> Iterator[Progress]:
    """Makes it the current one. The worker does this around each job."""
    token = _current.set(progress)
    try:
        yield progress
    finally:
        _current.reset(token)


def read(redis: Redis, job_id: str) -> Reading:
    values = {as_text(key): as_text(value) for key, value in redis.hgetall(progress_key(job_id)).items()}
    return Reading(
        done=int(values.get("done") or 0),
        total=int(values.get("total") or 0),
        message=values.get("message", ""),
        eta_s=float(values["eta_s"]) if values.get("eta_s") else None,
        cancelled="cancelled" in values,
    )


def say(redis: Redis, job_id: str, message: str) -> None:
    """The last word about a job: why it failed, or that it is done."""
    _set(redis, job_id, {"message": message, "eta_s": ""})


def ask_to_stop(redis: Redis, job_id: str) -> None:
    """The job hears of it at its next report."""
    _set(redis, job_id, {"cancelled": "1"})


def _set(redis: Redis, job_id: str, values: dict[Field, Field]) -> None:
    with redis.pipeline() as pipeline:
        pipeline.hset(progress_key(job_id), mapping=values)
        pipeline.expire(progress_key(job_id), KEPT_S)
        pipeline.execute()
