"""Keeping predictions a few at a time: each write takes the database from the annotators' events for a moment."""

from __future__ import annotations

import time

from ..store.rows import Prediction
from . import figures
from .house import House

_AT_MOST_S = 0.2
"""How long a finished prediction may wait: somebody has opened its task and looks at an empty page."""


class Keeper:
    """A context: what was handed in is in the records when it ends, however it ends."""

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
        self._house.records.put_predictions(self._waiting)
        failures = sum(bool(row.message) for row in self._waiting)
        figures.count(self._house.queues.redis, tasks_predicted=len(self._waiting), media_failures=failures)
        self._waiting = []
        self._written_at = time.monotonic()
