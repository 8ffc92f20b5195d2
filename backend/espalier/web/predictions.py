"""What /predict answers: what is known, at once; else what is ready in time; the rest follows through the API."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from ..jobs.freshness import Freshness
from ..jobs.queue import Queues
from ..jobs.reviewed import as_reviewed
from ..jobs.withheld import withheld
from ..labelstudio.wire import PredictRequest, inputs_digest
from ..settings import Settings
from ..store.records import Records
from ..store.rows import Prediction, Project

# Label Studio hangs up after 100 s, and proxies in front of it after 60.
_LONGEST_WAIT_S = 50.0
_POLL_S = (0.02, 0.25)
_WAITERS = 8
_OVER = frozenset({"done", "failed", "cancelled", "unknown"})

Item = dict[str, Any] | list[Any]


class Predictions:
    """At most a few requests wait at a time, so that /health and /webhook always find a free thread."""

    def __init__(self, settings: Settings, records: Records, queues: Queues) -> None:
        self._records = records
        self._queues = queues
        self._wait_s = min(settings.predict_deadline_s, _LONGEST_WAIT_S)
        self._waiters = threading.BoundedSemaphore(_WAITERS)

    def answer(self, asked: PredictRequest) -> list[Item]:
        """One item per task, in order: {"result", "score", "model_version"}, or [] where there is no prediction.

        Label Studio drops the whole batch for one item that it does not like, and asks anew, task by task, if the
        number is wrong: nothing about a single task may raise or be left out.
        """
        project = self._records.project(asked.project_key)
        version = self._version(project)
        if project is None or version is None or not asked.tasks:
            return [[] for _ in asked.tasks]
        silent = withheld(self._records, project.key, asked.tasks)
        if project.published not in (None, version):
            # A list is shown, and Label Studio asks anew for whatever is not in it: once is enough.
            silent |= {task_id for task_id, versions in asked.held.items() if version in versions}
        wanted = [task for task in asked.tasks if task["id"] not in silent]
        digests = {task["id"]: inputs_digest(task) for task in wanted}
        ready = self._ready(project, version, digests)
        missing = {task["id"]: task for task in wanted if task["id"] not in ready}
        if missing:
            ready |= self._fetch(project, version, digests, missing, push=asked.context is None)
        ready = as_reviewed(self._records, project, ready)
        return [_item(ready.get(task["id"])) for task in asked.tasks]

    def _fetch(
        self, project: Project, version: str, digests: dict[int, str], missing: dict[int, Any], *, push: bool
    ) -> dict[int, Prediction]:
        job = self._queues.request_prediction(project.key, list(missing.values()))
        self._wait(job)
        # A training may have been promoted meanwhile: then the job answered for the new version.
        version = self._version(self._records.project(project.key)) or version
        ready = self._ready(project, version, {task_id: digests[task_id] for task_id in missing})
        late = [task_id for task_id in missing if task_id not in ready]
        if late and push and self._queues.status(job).state != "failed":
            self._queues.request_push(project.key, version, late)
        return ready

    def _wait(self, job: str) -> None:
        """Until the job is over, or the deadline; not at all where enough others wait already."""
        if not self._waiters.acquire(blocking=False):
            return
        try:
            deadline = time.monotonic() + self._wait_s
            pause = _POLL_S[0]
            while time.monotonic() < deadline and self._queues.status(job).state not in _OVER:
                time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
                pause = min(pause * 1.5, _POLL_S[1])
        finally:
            self._waiters.release()

    def _ready(self, project: Project, version: str, digests: dict[int, str]) -> dict[int, Prediction]:
        """project: as it was when the request came; what is answered later is the next one's."""
        rows = self._records.predictions(project.key, version, digests)
        fresh = Freshness.of(self._records, project, version)
        return {task_id: row for task_id, row in rows.items() if fresh.is_fresh(row.inputs, digests[task_id])}

    def _version(self, project: Project | None) -> str | None:
        """Whose predictions are shown: the version that /setup reports, if it is one that predicts here; a list is
        none."""
        if project is None or project.served is None:
            return None
        if project.published in (None, project.served):
            return project.served
        runs = {run.version for run in self._records.runs(project.key) if run.kind == "labeling"}
        return project.published if project.published in runs else project.served


def _item(row: Prediction | None) -> Item:
    """[] for what could not be predicted, since Label Studio has no place for a reason."""
    if row is None or (row.message and not row.result):
        return []
    score = float(row.score) if math.isfinite(row.score) else 0.0
    return {"result": row.result, "score": min(1.0, max(0.0, score)), "model_version": row.version}
