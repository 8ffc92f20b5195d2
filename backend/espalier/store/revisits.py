"""Revisits: answers that somebody should look at again, and whether somebody did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from sqlalchemy import Connection, select, update

from .database import chunks
from .projects import Projects
from .rows import Revisit, RevisitState
from .tables import RevisitTable

REVISIT = [getattr(RevisitTable, field.name) for field in fields(Revisit)]


class Revisits(Projects):
    def put_revisits(self, rows: Iterable[Revisit]) -> None:
        """Adds them. One that is there already (for the same mapping) stays as it is, settled or not."""
        wanted = [vars(row) for row in rows]

        def work(connection: Connection) -> None:
            for key in sorted({row["project_key"] for row in wanted}):
                self._hold(connection, key)
            self.upsert(connection, RevisitTable, wanted, replace=False)

        if wanted:
            self.write(work)

    def revisits(self, key: str, state: RevisitState | None = None) -> list[Revisit]:
        """By task, annotation, classification and option; all, or those of one state."""
        query = select(*REVISIT).where(RevisitTable.project_key == key)
        if state is not None:
            query = query.where(RevisitTable.state == state)
        found = [Revisit(**row._mapping) for row in self.read(lambda connection: connection.execute(query).all())]
        return sorted(found, key=_order)  # not by the database: PostgreSQL sorts text as its country does

    def settle_revisits(
        self,
        key: str,
        *,
        task_ids: Iterable[int] | None = None,
        annotation_ids: Iterable[int] | None = None,
        mapping_id: str | None = None,
    ) -> int:
        """Marks open ones as done: those that are named by everything that is given. Returns how many."""
        query = update(RevisitTable).where(RevisitTable.project_key == key, RevisitTable.state == "open")
        if mapping_id is not None:
            query = query.where(RevisitTable.mapping_id == mapping_id)
        queries = [query.values(state="done")]
        for column, ids in ((RevisitTable.task_id, task_ids), (RevisitTable.annotation_id, annotation_ids)):
            if ids is not None:
                some = list(chunks(ids))
                queries = [one.where(column.in_(wanted)) for one in queries for wanted in some]

        def work(connection: Connection) -> int:
            self._hold(connection, key)
            return sum(connection.execute(one).rowcount for one in queries)

        return self.write(work)


def _order(row: Revisit) -> tuple[object, ...]:
    return row.task_id, row.annotation_id, row.classification, row.option, row.created_at, row.mapping_id
