"""Keeping predictions a few at a time: each write takes the database from the annotators' events for a moment."""

from __future__ import annotations

import logging
import time

from ..store.rows import Prediction
from . import figures, unreadable
from .house import House

log = logging.getLogger(__name__)

_AT_MOST_S = 0.2
"""How long a finished prediction may wait: somebody has opened its task and looks at an empty page."""


class Keeper:
    """A context: what was handed in is in the records when it ends, however it ends.

    But for tasks of which nothing could be read: those are noted, to be tried again.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._waiting: list[Prediction] = []
        self._written_at = 0.0

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def keep(self, row: Prediction) -> None:
        self._waiting.append(row)
        if time.monotonic() - self._written_at >= _AT_MOST_S:
            self._write()

    def _write(self) -> None:
        if not self._waiting:
            return
        redis = self._house.queues.redis
        failed = [row for row in self._waiting if row.message]
        for row in failed:
            log.warning("project %s: %s", row.project_key, row.message)
        unreadable.note(redis, list(filter(unreadable.is_unreadable, failed)))
        self._house.records.put_predictions(row for row in self._waiting if not unreadable.is_unreadable(row))
        figures.count(redis, tasks_predicted=len(self._waiting), media_failures=len(failed))
        self._waiting = []
        self._written_at = time.monotonic()
