"""Work that a worker does while a request waits for it: the answer at once where it comes in time, else the job."""

from __future__ import annotations

import threading
import time
from typing import Literal

from pydantic import BaseModel, Field

from ...jobs.job_status import JobStatus
from ...jobs.queue import Queues
from .problem import Refused
from .routes import PREFIX, Query, Told

WAITERS = 8
"""Requests that wait at a time; the others are told the job at once. Threads must be left for /health and /webhook."""
_POLL_S = (0.005, 0.1)
_LOOKS_AGAIN_S = 1.0
_GOING_ON = ("queued", "running")
# What the worker says of an error that is nobody's request's fault.
_OURS = ("failed unexpectedly", "failed: this machine", "stopped: it took longer")


class Wait(Query):
    wait_s: float = Field(5.0, ge=0, le=20, description="How long to wait for the answer before the job is told.")


class Accepted(Told):
    """Not ready yet: the job goes on, and its address says when it is."""

    job: str
    state: Literal["queued", "running"]
    message: str
    status: str = Field(description="Where to ask how far it has come.")
    events: str = Field(description="The same as server-sent events.")
    result: str = Field(description="Where its answer will be; it is what this request would have been answered.")


ALSO_LATER: dict[int, type[BaseModel] | str] = {202: Accepted}


class Asking:
    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._waiters = threading.BoundedSemaphore(WAITERS)
        self._is_served, self._look_again_at = False, 0.0

    def wait(self, job: str, wait_s: float) -> Accepted | JobStatus:
        """Until the job is done, or the time is over. Raises Refused where it failed."""
        status = self._queues.status(job)
        if status.state in _GOING_ON and wait_s > 0 and self._served() and self._waiters.acquire(blocking=False):
            try:
                status = self._ended(job, wait_s)
            finally:
                self._waiters.release()
        return self.judge(status)

    def answer(self, job: str, wait_s: float, model: type[BaseModel], status: int = 200) -> tuple[BaseModel, int]:
        """The job's result as this model, with this status; or 202 where it is not there in time."""
        done = self.wait(job, wait_s)
        if isinstance(done, Accepted):
            return done, 202
        return model.model_validate(self._queues.result(job)), status

    def judge(self, status: JobStatus) -> Accepted | JobStatus:
        if status.state == "failed":
            raise Refused(500 if status.message.startswith(_OURS) else 422, status.message or "the job failed")
        if status.state == "cancelled":
            raise Refused(409, f"the job was cancelled: {status.message}")
        if status.state == "unknown":
            raise Refused(404, status.message)
        return status if status.state == "done" else accepted(status, self._served())

    def _ended(self, job: str, wait_s: float) -> JobStatus:
        deadline, pause = time.monotonic() + wait_s, _POLL_S[0]
        while (status := self._queues.status(job)).state in _GOING_ON:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            time.sleep(min(pause, left_s))
            pause = min(pause * 1.5, _POLL_S[1])
        return status

    def _served(self) -> bool:
        """Whether any worker runs; looked up once in a while, for it takes longer than a search."""
        if time.monotonic() > self._look_again_at:
            self._is_served, self._look_again_at = bool(self._queues.workers()), time.monotonic() + _LOOKS_AGAIN_S
        return self._is_served


def accepted(status: JobStatus, served: bool) -> Accepted:
    waits = "waits for a worker" if served else "waits for a worker, and none is running: start `espalier serve`"
    address = f"{PREFIX}/jobs/{status.id}"
    return Accepted(
        job=status.id,
        state="running" if status.state == "running" else "queued",
        message=status.message or (waits if status.state == "queued" else ""),
        status=address,
        events=f"{address}/events",
        result=f"{address}/result",
    )
