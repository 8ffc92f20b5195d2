"""Types of columns that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class JsonText(TypeDecorator[Any]):
    """JSON as text: alike on both databases, and (unlike jsonb) at ease with \\u0000 and lone surrogates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return json.loads(value)


class PathText(JsonText):
    """A path (of option names) as JSON text; a tuple, in and out."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return tuple(json.loads(value))


class PathsText(JsonText):
    """Several paths as JSON text; a tuple of tuples, in and out."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return tuple(map(tuple, json.loads(value)))


class UtcTime(TypeDecorator[datetime]):
    """Aware in, aware out; stored in UTC, because SQLite forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(timezone.utc) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
