"""Projects: what Label Studio said of them, and how far training has come."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, delete, select, update

from ..errors import BadRequest
from .database import Database
from .rows import Project
from .tables import PredictionTable, ProjectTable, VersionTable

COLUMNS = [getattr(ProjectTable, field.name) for field in fields(Project)]


class Projects(Database):
    def put_project(self, key: str, *, bump: bool = False, **changes: Any) -> Project:
        """Makes the project, or changes the fields named. bump: the revision, too, where that changes anything.

        A new labeling configuration bumps it, and predictions made for the old one are forgotten.
        """
        known = {field.name for field in fields(Project)} - {"key"}
        if unknown := set(changes) - known:
            raise BadRequest(f"a project has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
        found = self.project(key)
        # /setup comes with every page that Label Studio shows, and nearly always says nothing new.
        if found and all(getattr(found, name) == value for name, value in changes.items()):
            return found

        def work(connection: Connection) -> Project:
            before = self._hold(connection, key)
            config = changes.get("label_config", before.label_config)
            values = dict(changes)
            if bump:
                values["revision"] = before.revision + 1
            if before.label_config and config != before.label_config:
                values.setdefault("revision", before.revision + 1)
                # They may hold options that are asked no longer, or lack attributes that are asked now. A run's stay:
                # they are what it wrote.
                of_models = select(VersionTable.name).where(VersionTable.project_key == key)
                old = (PredictionTable.project_key == key) & PredictionTable.version.in_(of_models)
                connection.execute(delete(PredictionTable).where(old))
            if values:
                connection.execute(update(ProjectTable).where(ProjectTable.key == key).values(values))
            return self._hold(connection, key)

        return self.write(work)

    def project(self, key: str) -> Project | None:
        query = select(*COLUMNS).where(ProjectTable.key == key)
        row = self.read(lambda connection: connection.execute(query).one_or_none())
        return Project(**row._mapping) if row else None

    def projects(self) -> list[Project]:
        query = select(*COLUMNS).order_by(ProjectTable.id, ProjectTable.key)
        return [Project(**row._mapping) for row in self.read(lambda connection: connection.execute(query).all())]

    def bump(self, key: str) -> int:
        """revision += 1, and what it is now. The mirror does it itself when something changed for training."""

        def work(connection: Connection) -> int:
            self._hold(connection, key)
            return self._bump(connection, key)

        return self.write(work)

    def mark_trained(self, key: str, revision: int) -> None:
        """The newest model has seen everything up to `revision`; never goes back."""
        behind = (ProjectTable.key == key) & (ProjectTable.trained_revision < revision)
        self.write(lambda c: c.execute(update(ProjectTable).where(behind).values(trained_revision=revision)))

    def _hold(self, connection: Connection, key: str) -> Project:
        """The project, made if need be, and locked until the transaction ends: writers of a project take turns."""
        blank = {"id": _id_in(key), "title": "", "label_config": "", "hostname": "", "access_token": ""}
        blank |= {
            "extra_params": {},
            "revision": 0,
            "trained_revision": 0,
            "position": 0,
            "training": {},
            "cutoffs": {},
            "classifications": {},
        }
        query = select(*COLUMNS).where(ProjectTable.key == key).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            self.upsert(connection, ProjectTable, [{"key": key, **blank}], replace=False)
            row = connection.execute(query).one()
        return Project(**row._mapping)

    def _bump(self, connection: Connection, key: str) -> int:
        further = ProjectTable.revision + 1
        query = update(ProjectTable).where(ProjectTable.key == key).values(revision=further)
        return connection.execute(query.returning(ProjectTable.revision)).scalar_one()

    def _bump_if(self, connection: Connection, key: str, matters: bool) -> bool:
        if matters:
            self._bump(connection, key)
        return matters


def id_by(*parts: str) -> str:
    """12 hexadecimal digits, always the same for the same words: 48 bits, which a number of JavaScript holds."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _id_in(key: str) -> int:
    """ "10.1795197302" -> 10."""
    try:
        return int(key.split(".", 1)[0])
    except ValueError as error:
        raise BadRequest(f"{key!r} is not a project key; Label Studio's look like '10.1795197302'") from error
