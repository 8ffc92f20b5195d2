"""Predictions into Label Studio: in bulk, counted, and one by one where the bulk door drops them silently."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from ..errors import LabelStudioRefused
from .transport import Transport

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
"""One prediction: task (id), result (regions), score (in [0, 1]), model_version; where it is put in full also cluster
(a whole number or None), neighbors (task ids) and mislabeling (in [0, 1])."""

CHUNK_ROWS = 500
CHUNK_BYTES = 16_000_000
_IMPORT_S = 300.0
# Label Studio takes 70 ms for each on SQLite, 36 ms where two come at a time, and longer again with four.
_POSTS_AT_ONCE = 2


class Predictions:
    """`tasks(project_id, ids)` gives tasks with their predictions in full."""

    def __init__(self, transport: Transport, tasks: Callable[..., Iterable[Mapping[str, Any]]]) -> None:
        self._transport = transport
        self._tasks = tasks

    def put(
        self,
        project_id: int,
        rows: Iterable[Row],
        *,
        refused: Callable[[Row, str], None] | None = None,
        stored: Callable[[int], None] | None = None,
    ) -> int:
        """Store predictions; how many were created.

        A row whose task already has a prediction of its version is left out, so that a push that was killed may simply
        be repeated. `refused(row, reason)` is called for each row that Label Studio does not take, `stored(n)` after
        each chunk with the rows dealt with so far. One bad row stops nobody else's.
        """
        created = dealt_with = 0
        refuse = refused or _log_refused
        for chunk in _chunks(rows):
            created += self._put_chunk(project_id, chunk, refuse)
            dealt_with += len(chunk)
            if stored:
                stored(dealt_with)
        return created

    def put_in_full(
        self, project_id: int, rows: Iterable[Row], *, refused: Callable[[Row, str], None] | None = None
    ) -> int:
        """As `put`, one by one: the bulk door drops cluster, neighbors and mislabeling without a word."""
        refuse = refused or _log_refused
        with ThreadPoolExecutor(_POSTS_AT_ONCE, thread_name_prefix="put-prediction") as pool:
            return sum(
                sum(pool.map(lambda row: self._put_one(row, refuse), self._without_stored(project_id, chunk)))
                for chunk in _chunks(rows)
            )

    def having(self, project_id: int, version: str, task_ids: Iterable[int]) -> set[int]:
        """Which of these tasks have a prediction of that version."""
        wanted = sorted(set(task_ids))
        found: set[int] = set()
        for start in range(0, len(wanted), CHUNK_ROWS):
            likely = self._likely(project_id, version, wanted[start : start + CHUNK_ROWS])
            for task in self._tasks(project_id, likely) if likely else ():
                if any(prediction["model_version"] == version for prediction in task["predictions"]):
                    found.add(int(task["id"]))
        return found

    def _likely(self, project_id: int, version: str, task_ids: list[int]) -> list[int]:
        """Tasks with a prediction whose version contains `version`: Label Studio's filter knows no equality."""
        query = {
            "filters": {
                "conjunction": "and",
                "items": [
                    {
                        "filter": "filter:tasks:predictions_model_versions",
                        "operator": "contains",
                        "type": "List",
                        "value": [version],
                    }
                ],
            },
            "selectedItems": {"all": False, "included": task_ids},
        }
        return sorted(self._ids(project_id, query, len(task_ids), f"look for predictions of {version!r}"))

    def _ids(self, project_id: int, query: object, at_most: int, doing: str) -> set[int]:
        answer = self._transport.json(
            "GET",
            "/api/tasks",
            query={"project": project_id, "page": 1, "page_size": at_most, "query": json.dumps(query)},
            doing=f"{doing} in project {project_id}",
        )
        return {int(task["id"]) for task in answer["tasks"]}

    def _put_chunk(self, project_id: int, chunk: list[Row], refuse: Callable[[Row, str], None]) -> int:
        rows = self._without_stored(project_id, chunk)
        if not rows:
            return 0
        try:
            created = self._import(project_id, rows)
        except LabelStudioRefused as error:
            if error.status != 400:
                raise
            rows = self._of_known_tasks(project_id, rows, refuse)
            created = self._import(project_id, rows) if rows else 0
        if created == len(rows):
            return created
        return created + self._put_each(self._without_stored(project_id, rows) if created else rows, refuse)

    def _without_stored(self, project_id: int, rows: list[Row]) -> list[Row]:
        versions = {str(row["model_version"]) for row in rows}
        stored = {
            (version, task)
            for version in versions
            for task in self.having(
                project_id, version, [int(row["task"]) for row in rows if row["model_version"] == version]
            )
        }
        return [row for row in rows if (str(row["model_version"]), int(row["task"])) not in stored]

    def _of_known_tasks(self, project_id: int, rows: list[Row], refuse: Callable[[Row, str], None]) -> list[Row]:
        """A single unknown task makes Label Studio refuse the whole list; it was probably deleted meanwhile."""
        query = {"selectedItems": {"all": False, "included": [int(row["task"]) for row in rows]}}
        known = self._ids(project_id, query, len(rows), "look for tasks")
        for row in rows:
            if int(row["task"]) not in known:
                refuse(row, f"project {project_id} has no task {row['task']} any more")
        return [row for row in rows if int(row["task"]) in known]

    def _import(self, project_id: int, rows: list[Row]) -> int:
        answer = self._transport.json(
            "POST",
            f"/api/projects/{project_id}/import/predictions",
            body=rows,
            read_s=_IMPORT_S,
            doing=f"import {len(rows)} predictions into project {project_id}",
        )
        return int(answer["created"])

    def _put_each(self, rows: list[Row], refuse: Callable[[Row, str], None]) -> int:
        """Through POST /api/predictions, which takes what the bulk door skips: nested choices as paths, for example."""
        return sum(self._put_one(row, refuse) for row in rows)

    def _put_one(self, row: Row, refuse: Callable[[Row, str], None]) -> bool:
        try:
            self._transport.json(
                "POST", "/api/predictions", body=row, doing=f"store a prediction for task {row['task']}"
            )
        except LabelStudioRefused as error:
            if error.status not in (400, 404):
                raise
            refuse(row, str(error))
            return False
        return True


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    size = 0
    for row in rows:
        weight = len(orjson.dumps(row))
        if chunk and (len(chunk) == CHUNK_ROWS or size + weight > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += weight
    if chunk:
        yield chunk


def _log_refused(row: Row, reason: str) -> None:
    log.warning("the prediction for task %s was not taken: %s", row["task"], reason)
