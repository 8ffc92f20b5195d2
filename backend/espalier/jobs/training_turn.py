"""Whose turn it is to train: not while somebody labels, and one job of a project at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from . import progress
from .lock import Lock, delete_if

_HURRY_S = 24 * 3600


class TrainingTurn:
    """Of a project, on all machines. Whoever trains waits for it, and reports that to the current progress."""

    def __init__(self, redis: Redis, *, debounce_s: float) -> None:
        self._redis, self._debounce_s = redis, debounce_s

    def touch(self, project_key: str) -> None:
        """Somebody is labeling this project; training waits until they rest."""
        self._redis.set(_restless(project_key), 1, px=max(1, int(self._debounce_s * 1000)))

    def hurry(self, project_key: str) -> None:
        """The next training waits for nobody's rest."""
        self._redis.set(_hurry(project_key), 1, ex=_HURRY_S)

    def starts(self, project_key: str) -> None:
        """Right before a training reads the answers: later events ask for another one."""
        self._redis.delete(waiting(project_key), _hurry(project_key))

    @contextmanager
    def taken(self, project_key: str) -> Iterator[None]:
        """Around all of a training: alone, when it is quiet, and with later events asking anew."""
        with self.alone(project_key):
            self.wait_for_quiet(project_key)
            self.starts(project_key)
            yield

    @contextmanager
    def alone(self, project_key: str) -> Iterator[None]:
        """One training per project at a time, on all machines.

        Waits for the other one. Where that one's worker died, the lock is free within half a minute.
        """
        lock = Lock(self._redis, _lock(project_key), progress.current().job_id)
        while not lock.take():
            progress.current().report(0, 0, "waiting for another training of this project")
            time.sleep(0.2)
        with lock:
            yield

    def wait_for_quiet(self, project_key: str) -> None:
        """Returns when nobody labeled for the debounce's time, at the latest after ten times that.

        Raises what `Progress.report` raises.
        """
        latest = time.monotonic() + 10 * self._debounce_s
        while (left_s := latest - time.monotonic()) > 0 and not self._redis.exists(_hurry(project_key)):
            restless_ms = self._redis.pttl(_restless(project_key))
            if restless_ms < 0:
                return
            progress.current().report(0, 0, "waiting until nobody has labeled for a moment")
            time.sleep(min(restless_ms / 1000 + 0.001, left_s, 0.2))

    def let_go(self, project_key: str, job_id: str) -> None:
        """The worker of this job is dead: the turn is free, if it was this job's."""
        delete_if(self._redis, _lock(project_key), job_id)


def waiting(project_key: str) -> str:
    """The key under which the id of the training that waits stands: it will see everything up to now."""
    return f"espalier:training:pending:{project_key}"


def _lock(project_key: str) -> str:
    return f"espalier:training:lock:{project_key}"


def _restless(project_key: str) -> str:
    return f"espalier:training:restless:{project_key}"


def _hurry(project_key: str) -> str:
    return f"espalier:training:hurry:{project_key}"
