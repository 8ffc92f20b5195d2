"""Model versions, which of them predicts, and the predictions that each has made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from ..errors import BadRequest
from .database import chunks
from .promotions import Promotions
from .rows import ModelVersion, Prediction, Project, PromotedBy
from .tables import PredictionTable, ProjectTable, RunTable, VersionTable

VERSION = [getattr(VersionTable, field.name) for field in fields(ModelVersion)]
PREDICTION = [getattr(PredictionTable, field.name) for field in fields(Prediction)]


class Versions(Promotions):
    def add_version(self, row: ModelVersion) -> None:
        """A name is given once per project; a second time is refused."""

        def work(connection: Connection) -> None:
            self._hold(connection, row.project_key)
            if self._version(connection, row.project_key, row.name):
                raise BadRequest(
                    f"project {row.project_key} has a model version {row.name!r} already; choose another name"
                )
            self.upsert(connection, VersionTable, [vars(row)])

        self.write(work)

    def set_version(self, key: str, name: str, **changes: Any) -> ModelVersion:
        if unknown := set(changes) - {field.name for field in fields(ModelVersion)}:
            raise BadRequest(f"a model version has no {', '.join(sorted(unknown))}")

        def work(connection: Connection) -> ModelVersion:
            before = self._known(connection, key, name)
            if changes:
                connection.execute(_at(key, name).values(changes))
            return replace(before, **changes)

        return self.write(work)

    def version(self, key: str, name: str) -> ModelVersion | None:
        return self.read(lambda connection: self._version(connection, key, name))

    def version_of(self, key: str, job: str) -> ModelVersion | None:
        """The version that this job has put on the books, whose parameters name it: done again after a kill, the job
        goes on with that one."""
        query = select(VersionTable.name, VersionTable.parameters).where(VersionTable.project_key == key)
        rows = self.read(lambda connection: connection.execute(query).all()) if job else []
        name = next((name for name, parameters in rows if parameters.get("job") == job), None)
        return self.version(key, name) if name else None

    def trained_on(self, key: str, name: str) -> dict[str, Any]:
        """What its record says of that; {} for a name that no version has. Quicker than all of a version's record."""
        query = select(VersionTable.trained_on).where(VersionTable.project_key == key, VersionTable.name == name)
        return self.read(lambda connection: connection.execute(query).scalar_one_or_none()) or {}

    def versions(self, key: str) -> list[ModelVersion]:
        """The newest first."""
        query = select(*VERSION).where(VersionTable.project_key == key)
        query = query.order_by(VersionTable.created_at.desc(), VersionTable.name.desc())
        return [ModelVersion(**row._mapping) for row in self.read(lambda connection: connection.execute(query).all())]

    def serve(self, key: str, name: str, *, by: PromotedBy = "gate", reason: str = "") -> None:
        """From now on `name` predicts, and /setup reports it; the one that did is archived, and history says so.

        A list that /setup reports stays: it is worked through while the model learns from that, again and again.
        """

        def work(connection: Connection) -> None:
            project = self._hold(connection, key)
            self._known(connection, key, name)
            if project.served != name:
                if project.served:
                    connection.execute(_at(key, project.served).values(state="archived"))
                self._remember_promotion(connection, key, name, project.served, by, reason)
            connection.execute(_at(key, name).values(state="promoted"))
            values = {"served": name}
            if not _shows_list(connection, project):
                values["published"] = name
            connection.execute(update(ProjectTable).where(ProjectTable.key == key).values(values))

        self.write(work)

    def publish(self, key: str, name: str | None) -> None:
        """From now on /setup reports `name` (a run's own, or a model version's); what predicts stays."""

        def work(connection: Connection) -> None:
            self._hold(connection, key)
            connection.execute(update(ProjectTable).where(ProjectTable.key == key).values(published=name))

        self.write(work)

    def put_predictions(self, rows: Iterable[Prediction]) -> None:
        """Keeps them; a prediction of the same version for the same task is replaced."""
        newest = {(row.project_key, row.version, row.task_id): row for row in rows}
        wanted = [vars(newest[key]) for key in sorted(newest)]

        def work(connection: Connection) -> None:
            for key in sorted({row["project_key"] for row in wanted}):
                self._hold(connection, key)
                # The project's own count, for a number is never used again: not even where predictions were dropped.
                further = update(ProjectTable).where(ProjectTable.key == key).values(position=ProjectTable.position + 1)
                position = connection.execute(further.returning(ProjectTable.position)).scalar_one()
                rows = [row | {"position": position} for row in wanted if row["project_key"] == key]
                self.upsert(connection, PredictionTable, rows)

        if wanted:
            self.write(work)

    def predictions(self, key: str, version: str, task_ids: Iterable[int]) -> dict[int, Prediction]:
        """By task id, those that are there. Whether they still hold is told by their `inputs`."""
        query = select(*PREDICTION).where(PredictionTable.project_key == key, PredictionTable.version == version)
        some = [query.where(PredictionTable.task_id.in_(ids)) for ids in chunks(task_ids)]
        rows = self.read(lambda connection: [row for query in some for row in connection.execute(query)])
        return {row.task_id: Prediction(**row._mapping) for row in rows}

    def predicted(self, key: str, version: str) -> tuple[int, int]:
        """How many tasks it has predicted, and the highest position among them: whether there is news, cheaply."""
        query = select(func.count(), func.max(PredictionTable.position))
        query = query.where(PredictionTable.project_key == key, PredictionTable.version == version)
        count, position = self.read(lambda connection: connection.execute(query).one())
        return count, position or 0

    def predictions_of(self, key: str, version: str, *, since: int = 0) -> list[Prediction]:
        """All that were kept or replaced after the position `since`, by task."""
        query = select(*PREDICTION).where(PredictionTable.project_key == key, PredictionTable.version == version)
        query = query.where(PredictionTable.position > since) if since else query
        rows = self.read(lambda connection: connection.execute(query.order_by(PredictionTable.task_id)).all())
        return [Prediction(**row._mapping) for row in rows]

    def drop_predictions(self, key: str, version: str) -> int:
        """How many there were."""
        query = delete(PredictionTable).where(PredictionTable.project_key == key, PredictionTable.version == version)
        return self.write(lambda connection: connection.execute(query).rowcount)

    def _version(self, connection: Connection, key: str, name: str) -> ModelVersion | None:
        query = select(*VERSION).where(VersionTable.project_key == key, VersionTable.name == name)
        row = connection.execute(query).one_or_none()
        return ModelVersion(**row._mapping) if row else None

    def _known(self, connection: Connection, key: str, name: str) -> ModelVersion:
        found = self._version(connection, key, name)
        if found is None:
            raise BadRequest(f"project {key} has no model version {name!r}")
        return found


def _at(key: str, name: str) -> Any:
    return update(VersionTable).where(VersionTable.project_key == key, VersionTable.name == name)


def _shows_list(connection: Connection, project: Project) -> bool:
    query = select(RunTable.id).where(RunTable.project_key == project.key, RunTable.version == project.published)
    return connection.execute(query.where(RunTable.kind != "labeling", RunTable.state != "undone")).first() is not None
