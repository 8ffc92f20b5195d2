"""What an event changes: the mirror at once, the model soon."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from ..errors import BadRequest
from ..jobs.queue import Queues
from ..labelstudio.wire import Event
from ..store.records import Records
from .gathered import Gathered
from .introductions import Introductions

log = logging.getLogger(__name__)

_TOLD_FOR_S = 5.0


class Events:
    """Label Studio waits for the answer inside a person's click, for one second, and never sends an event again: so
    this writes to the database and the queue, and does nothing else. A submit may ask twice; that is one training."""

    def __init__(self, records: Records, queues: Queues, introductions: Introductions) -> None:
        self._records = records
        self._queues = queues
        self._introductions = introductions
        self._told: dict[str, tuple[tuple[str, str], float]] = {}
        self._mirrored: Gathered[Event, str | None] = Gathered(self._mirror)

    def train(self, event: Event, *, believed: bool) -> str:
        """The id of the training job. An event that is not believed teaches us nothing about the project."""
        if believed:
            self._see(event)
        elif self._records.project(event.project_key) is None:
            raise BadRequest(f"project {event.project_id} is not known here: connect it under Settings > Model")
        return self._queues.request_training(event.project_key, delay=False)

    def apply(self, event: Event) -> dict[str, Any]:
        if event.change == "ignored":
            log.debug("event %s is of no interest", event.action)
            return {"status": "ok", "ignored": f"{event.action} changes nothing that Espalier learns from"}
        self._see(event)
        if event.change == "tasks" and any(task.get("total_annotations") for task in event.tasks):
            # An import of annotated tasks sends no event for the annotations.
            self._introductions.read(event.project_key)
        job = self._mirrored.do(event)
        return {"status": "ok", "changed": True, "job": job} if job else {"status": "ok", "changed": False}

    def _see(self, event: Event) -> None:
        """PROJECT_UPDATED says nothing about what was updated, so every event's project is compared; in a burst, once
        every few seconds unless it says something else."""
        key, said = event.project_key, (event.project["title"] or "", event.project["label_config"] or "")
        told, until = self._told.get(key, (None, 0.0))
        if told == said and time.monotonic() < until:
            return
        self._introductions.see(key, title=said[0], label_config=said[1])
        self._told[key] = (said, time.monotonic() + _TOLD_FOR_S)

    def _mirror(self, events: Sequence[Event]) -> list[str | None]:
        """Each event's training job, or None where there is nothing new to train on; one job for all of a project."""
        changed: set[str] = set()
        jobs: dict[str, str] = {}
        try:
            for (key, change), together in groupby(events, lambda event: (event.project_key, event.change)):
                for is_new in self._write(key, change, list(together)):
                    changed |= {key} if is_new else set()
        finally:
            # Also where a later event is bad: what is written by then is nothing new when it is tried again.
            jobs |= {key: self._queues.request_training(key) for key in changed}
        return [jobs.get(event.project_key) for event in events]

    def _write(self, key: str, change: str, events: list[Event]) -> Iterator[bool]:
        """After each transaction, whether it is something new to train on. Events of one kind share it, in order."""
        if change in ("annotated", "tasks"):
            yield self._records.mirror_tasks(key, [task for event in events for task in event.tasks])
        if change == "annotated":
            yield self._records.mirror_annotations(key, [one for event in events for one in event.annotations])
        if change == "unannotated":
            yield self._records.forget_annotations(key, [id for event in events for id in event.annotation_ids])
        if change == "tasks gone":
            yield self._records.forget_tasks(key, [id for event in events for id in event.task_ids])
