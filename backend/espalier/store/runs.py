"""Automated labeling runs, and how far each has come, task by task: a killed run goes on where it was."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime, timezone
from itertools import count
from typing import Any

from sqlalchemy import Connection, select, update

from ..errors import BadRequest
from .database import chunks
from .projects import Projects, id_by
from .rows import Run, RunKind
from .tables import RunItemTable, RunTable

RUN = [getattr(RunTable, field.name) for field in fields(Run)]


class Runs(Projects):
    def add_run(
        self,
        key: str,
        parameters: Mapping[str, Any],
        *,
        version: str = "",
        numbered: str = "",
        previous: str | None = None,
        total: int = 0,
        kind: RunKind = "labeling",
        job: str = "",
        items: Mapping[int, str] | None = None,
        made: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> Run:
        """A new run, queued. Its predictions are named `version`, or `numbered` with the next number, or after the run.

        No two runs get the same number, for undo deletes by the name. job: that plans it. The run is named after it,
        and one that is there already is left as it is: a job that is done again after a kill plans no second one.
        items, made: as in `set_run_items`, for a run without its tasks must never be found.
        """
        id = id_by(job) if job else secrets.token_hex(4)
        run = Run(
            id=id,
            project_key=key,
            parameters=dict(parameters),
            state="queued",
            done=0,
            total=total,
            counts={},
            version=version or f"run-{id}",
            previous=previous,
            message="",
            created_at=datetime.now(timezone.utc),
            kind=kind,
        )

        def work(connection: Connection) -> Run:
            self._hold(connection, key)
            if job and (planned := self._run(connection, id)) is not None:
                return planned
            named = replace(run, version=self._next(connection, key, numbered)) if numbered else run
            self.upsert(connection, RunTable, [vars(named)])
            self._set_items(connection, id, items or {}, made or {})
            return named

        return self.write(work)

    @staticmethod
    def _next(connection: Connection, key: str, base: str) -> str:
        query = select(RunTable.version).where(RunTable.project_key == key)
        taken = {name for name in connection.execute(query).scalars() if name.startswith(base)}
        return next(name for number in count(len(taken) + 1) if (name := f"{base}{number}") not in taken)

    def run_of(self, job: str) -> Run | None:
        """The run that this job has planned."""
        return self.run(id_by(job)) if job else None

    def run(self, id: str) -> Run | None:
        return self.read(lambda connection: self._run(connection, id))

    def runs(self, key: str) -> list[Run]:
        """The newest first."""
        query = select(*RUN).where(RunTable.project_key == key).order_by(RunTable.created_at.desc(), RunTable.id)
        return [Run(**row._mapping) for row in self.read(lambda connection: connection.execute(query).all())]

    def set_run(self, id: str, **changes: Any) -> Run:
        if unknown := set(changes) - {field.name for field in fields(Run)}:
            raise BadRequest(f"a run has no {', '.join(sorted(unknown))}")

        def work(connection: Connection) -> Run:
            before = self._run(connection, id, lock=True)
            if before is None:
                raise BadRequest(f"there is no run {id!r}")
            if changes:
                connection.execute(update(RunTable).where(RunTable.id == id).values(changes))
            return replace(before, **changes)

        return self.write(work)

    def run_items(self, run_id: str) -> dict[int, str]:
        """State by task id, of the tasks that have one."""
        query = select(RunItemTable.task_id, RunItemTable.state).where(RunItemTable.run_id == run_id)
        rows = self.read(lambda connection: connection.execute(query.order_by(RunItemTable.task_id)).all())
        return {row.task_id: row.state for row in rows}

    def set_run_items(
        self, run_id: str, states: Mapping[int, str], made: Mapping[int, Mapping[str, Any]] | None = None
    ) -> None:
        """Sets these; leaves the others. made: by task, what the run made there, where that is known."""
        if states:
            self.write(lambda connection: self._set_items(connection, run_id, states, made or {}))

    def made(self, run_id: str) -> dict[int, dict[str, Any]]:
        """By task, what a run made in Label Studio (annotation ids), where it is known."""
        query = select(RunItemTable.task_id, RunItemTable.made).where(RunItemTable.run_id == run_id)
        rows = self.read(lambda connection: connection.execute(query.order_by(RunItemTable.task_id)).all())
        return {row.task_id: row.made for row in rows if row.made}

    def made_annotations(self, key: str, task_ids: Iterable[int] | None = None) -> dict[int, datetime]:
        """By annotation, when Label Studio stored it: of the project's bulk labels that were not undone."""
        query = (
            select(RunItemTable.made)
            .join(RunTable, RunTable.id == RunItemTable.run_id)
            .where(RunTable.project_key == key, RunTable.kind == "bulk", RunTable.state != "undone")
        )
        queries = (
            [query] if task_ids is None else [query.where(RunItemTable.task_id.in_(some)) for some in chunks(task_ids)]
        )
        made = self.read(lambda connection: [one for each in queries for one in connection.execute(each).scalars()])
        return {
            one["annotation"]: datetime.fromisoformat(one["updated_at"].replace("Z", "+00:00"))
            for one in made
            if "annotation" in one
        }

    def _set_items(
        self, connection: Connection, run_id: str, states: Mapping[int, str], made: Mapping[int, Mapping[str, Any]]
    ) -> None:
        plain: list[dict[str, Any]] = []
        making: list[dict[str, Any]] = []
        for id, state in sorted(states.items()):
            row = {"run_id": run_id, "task_id": id, "state": state}
            if id in made:
                making.append({**row, "made": dict(made[id])})
            else:
                plain.append(row)
        self.upsert(connection, RunItemTable, plain)
        self.upsert(connection, RunItemTable, making)

    def _run(self, connection: Connection, id: str, *, lock: bool = False) -> Run | None:
        query = select(*RUN).where(RunTable.id == id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        return Run(**row._mapping) if row else None
