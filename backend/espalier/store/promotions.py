"""Promotions: which version served when, who decided it, and why."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timezone

from sqlalchemy import Connection, func, select

from .projects import Projects
from .rows import PromotedBy, Promotion
from .tables import PromotionTable

PROMOTION = [getattr(PromotionTable, field.name) for field in fields(Promotion)]


class Promotions(Projects):
    """`Versions.serve` writes them; nothing changes or removes one."""

    def promotions(self, key: str) -> list[Promotion]:
        """The newest first."""
        query = select(*PROMOTION).where(PromotionTable.project_key == key).order_by(PromotionTable.number.desc())
        return [Promotion(**row._mapping) for row in self.read(lambda connection: connection.execute(query).all())]

    def _remember_promotion(
        self, connection: Connection, key: str, version: str, previous: str | None, by: PromotedBy, reason: str
    ) -> None:
        last = select(func.max(PromotionTable.number)).where(PromotionTable.project_key == key)
        number = (connection.execute(last).scalar_one() or 0) + 1
        row = Promotion(key, number, version, previous, datetime.now(timezone.utc), by, reason)
        self.upsert(connection, PromotionTable, [vars(row)])
