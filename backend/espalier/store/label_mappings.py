"""Label mappings: how options of the ontology were renamed, merged, split or retired, and when."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime, timezone

from sqlalchemy import Connection, select, update

from ..errors import BadRequest
from .projects import Projects, id_by
from .rows import MappingKind, StoredMapping
from .tables import LabelMappingTable

MAPPING = [getattr(LabelMappingTable, field.name) for field in fields(StoredMapping)]


class LabelMappings(Projects):
    def add_mapping(
        self,
        key: str,
        kind: MappingKind,
        classification: str,
        old: Iterable[str],
        new: Iterable[Iterable[str]],
        *,
        from_version: str | None = None,
        job: str = "",
    ) -> StoredMapping:
        """Keeps it, dated now, and bumps the revision: the answers to train on mean something else than before.

        old: a path of option names; new: paths. Whether they are in the ontology is for the caller to check. job: that
        makes it; of an option it makes one, which is left as it is where it is there already.
        """
        path = tuple(old)
        mapping = StoredMapping(
            id=id_by(job, *path) if job else secrets.token_hex(4),
            project_key=key,
            kind=kind,
            classification=classification,
            old=path,
            new=tuple(map(tuple, new)),
            from_version=from_version,
            created_at=datetime.now(timezone.utc),
        )

        def work(connection: Connection) -> StoredMapping:
            self._hold(connection, key)
            if job and (made := self._mapping(connection, key, mapping.id)) is not None:
                return made
            self.upsert(connection, LabelMappingTable, [vars(mapping)])
            self._bump(connection, key)
            return mapping

        return self.write(work)

    def mappings(self, key: str, *, undone: bool = False) -> list[StoredMapping]:
        """In the order in which they apply, the oldest first; with `undone`, those that hold no more among them."""
        query = select(*MAPPING).where(LabelMappingTable.project_key == key)
        if not undone:
            query = query.where(LabelMappingTable.undone_at.is_(None))
        query = query.order_by(LabelMappingTable.created_at, LabelMappingTable.id)
        return [StoredMapping(**row._mapping) for row in self.read(lambda connection: connection.execute(query).all())]

    def undo_mapping(self, key: str, id: str) -> StoredMapping:
        """It holds no more from now on, and bumps the revision; undone a second time, nothing changes."""

        def work(connection: Connection) -> StoredMapping:
            self._hold(connection, key)
            mapping = self._mapping(connection, key, id)
            if mapping is None:
                raise BadRequest(f"project {key} has no label mapping {id!r}")
            if mapping.undone_at:
                return mapping
            undone = replace(mapping, undone_at=datetime.now(timezone.utc))
            of_mapping = update(LabelMappingTable).where(LabelMappingTable.id == id)
            connection.execute(of_mapping.values(undone_at=undone.undone_at))
            self._bump(connection, key)
            return undone

        return self.write(work)

    def _mapping(self, connection: Connection, key: str, id: str) -> StoredMapping | None:
        query = select(*MAPPING).where(LabelMappingTable.project_key == key, LabelMappingTable.id == id)
        row = connection.execute(query).one_or_none()
        return StoredMapping(**row._mapping) if row else None
