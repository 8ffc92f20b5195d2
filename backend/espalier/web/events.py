"""What an event changes: the mirror at once, the model soon."""

from __future__ import annotations

import logging
from typing import Any

from ..errors import BadRequest
from ..jobs.queue import Queues
from ..labelstudio.wire import Event
from ..store.records import Records
from ..store.rows import Project
from .introductions import Introductions

log = logging.getLogger(__name__)


class Events:
    """Label Studio waits for the answer inside a person's click, for one second, and never sends an event again: so
    this writes to the database and the queue, and does nothing else. A submit may ask twice; that is one training."""

    def __init__(self, records: Records, queues: Queues, introductions: Introductions) -> None:
        self._records = records
        self._queues = queues
        self._introductions = introductions

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
        project = self._see(event)
        if event.change == "tasks" and any(task.get("total_annotations") for task in event.tasks):
            # An import of annotated tasks sends no event for the annotations.
            self._introductions.read(project)
        if not self._mirror(event):
            return {"status": "ok", "changed": False}
        return {"status": "ok", "changed": True, "job": self._queues.request_training(event.project_key)}

    def _see(self, event: Event) -> Project:
        """PROJECT_UPDATED says nothing about what was updated, so every event's project is compared."""
        return self._introductions.see(
            event.project_key, title=event.project["title"] or "", label_config=event.project["label_config"] or ""
        )

    def _mirror(self, event: Event) -> bool:
        """True if there is something new to train on."""
        key = event.project_key
        changed = False
        if event.change in ("annotated", "tasks"):
            changed |= self._records.mirror_tasks(key, event.tasks)
        if event.change == "annotated":
            changed |= self._records.mirror_annotations(key, event.annotations)
        if event.change == "unannotated":
            changed |= self._records.forget_annotations(key, event.annotation_ids)
        if event.change == "tasks gone":
            changed |= self._records.forget_tasks(key, event.task_ids)
        return changed
