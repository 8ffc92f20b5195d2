"""What a review of predictions reads: many at a time, so that a hundred thousand of them are a matter of a second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, func, select, type_coerce

from .catalogue import CataloguedMedia, Placed
from .database import chunks
from .projects import Projects
from .rows import RunState
from .tables import AnnotationTable, MediaTable, PredictionTable, RunItemTable, RunTable, ShowingTable


@dataclass(frozen=True)
class ReviewedTask:
    """What a review decided about one task. made: as `run_items` keeps it."""

    run_id: str
    run_state: RunState
    task_id: int
    state: str
    made: dict[str, Any]


class Reviews(Projects):
    def predicted_versions(self, key: str) -> dict[str, int]:
        """Of every version and run that has predictions here, how many."""
        query = select(PredictionTable.version, func.count()).where(PredictionTable.project_key == key)
        rows = self.read(lambda connection: connection.execute(query.group_by(PredictionTable.version)).all())
        return {row[0]: row[1] for row in rows}

    def prediction_texts(self, key: str, version: str, *, since: int = 0) -> list[tuple[int, str, float]]:
        """Task, result as JSON text, and score; of those kept or replaced after the position `since`, by task."""
        columns = (PredictionTable.task_id, type_coerce(PredictionTable.result, Text), PredictionTable.score)
        query = select(*columns).where(PredictionTable.project_key == key, PredictionTable.version == version)
        query = query.where(PredictionTable.position > since) if since else query
        query = query.order_by(PredictionTable.task_id)
        # Of a hundred thousand rows, SQLAlchemy's own take longer to be made than the driver's to be read.
        return self.read(lambda connection: list(connection.execute(query).cursor.fetchall()))

    def annotated(self, key: str) -> list[tuple[int, int, datetime | None]]:
        """Task, annotation, and when it was last changed: of all that answer something."""
        columns = (AnnotationTable.task_id, AnnotationTable.id, AnnotationTable.updated_at)
        query = select(*columns).where(AnnotationTable.project_key == key, ~AnnotationTable.was_cancelled)
        rows = self.read(lambda connection: connection.execute(query).all())
        return [(task_id, id, at) for task_id, id, at in rows]

    def reviews_of(self, key: str, version: str) -> dict[str, RunState]:
        """The reviews of a version's predictions that were not undone, the oldest first, and their states."""
        query = select(RunTable.id, RunTable.state, RunTable.parameters).where(
            RunTable.project_key == key, RunTable.kind == "bulk", RunTable.state != "undone"
        )
        query = query.order_by(RunTable.created_at, RunTable.id)
        rows = self.read(lambda connection: connection.execute(query).all())
        return {
            id: state for id, state, parameters in rows if (parameters.get("review") or {}).get("version") == version
        }

    def reviewed(self, key: str, version: str, task_ids: Iterable[int] | None = None) -> list[ReviewedTask]:
        """What was decided about a version's predictions, in the order of the reviews; nothing of undone ones."""
        columns = (RunItemTable.task_id, RunItemTable.state, RunItemTable.made)
        found: list[ReviewedTask] = []
        for run_id, state in self.reviews_of(key, version).items():
            query = select(*columns).where(RunItemTable.run_id == run_id).order_by(RunItemTable.task_id)
            queries = [query]
            if task_ids is not None:
                queries = [query.where(RunItemTable.task_id.in_(ids)) for ids in chunks(task_ids)]
            found += [ReviewedTask(run_id, state, *row) for row in self._rows(queries)]
        return found

    def places_of(self, key: str, task_ids: Iterable[int]) -> dict[int, list[Placed]]:
        """All that these tasks show, as far as it is known, by tag and item."""
        columns = (MediaTable.number, MediaTable.digest, MediaTable.kind, MediaTable.length, MediaTable.duration_s)
        query = (
            select(ShowingTable.task_id, ShowingTable.tag, ShowingTable.item, *columns)
            .join(
                MediaTable,
                (MediaTable.project_key == ShowingTable.project_key) & (MediaTable.number == ShowingTable.media),
            )
            .where(ShowingTable.project_key == key)
            .order_by(ShowingTable.task_id, ShowingTable.tag, ShowingTable.item)
        )
        some = [query.where(ShowingTable.task_id.in_(ids)) for ids in chunks(task_ids)]
        found: dict[int, list[Placed]] = {}
        for task_id, tag, item, *media in self._rows(some):
            found.setdefault(task_id, []).append(Placed(tag, item, CataloguedMedia(*media)))
        return found

    def _rows(self, queries: Sequence[Any]) -> list[Any]:
        return self.read(lambda connection: [row for one in queries for row in connection.execute(one)])
