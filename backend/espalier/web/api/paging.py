"""Long lists, page by page: `limit` and `offset` in the query, Link headers in the answer (RFC 8288)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

from flask import request
from pydantic import Field

from .routes import Query

Row = TypeVar("Row")


class Page(Query):
    limit: int = Field(50, ge=1, le=500, description="How many at most.")
    offset: int = Field(0, ge=0, le=10**9, description="How many to pass over first.")


def part_of(rows: Sequence[Row], page: Page) -> Sequence[Row]:
    return rows[page.offset : page.offset + page.limit]


def links(total: int, page: Page) -> dict[str, str]:
    """The headers of a page: where the neighbouring ones are, and how many rows there are in all."""
    near = {
        "next": page.offset + page.limit if page.offset + page.limit < total else None,
        "prev": max(0, page.offset - page.limit) if page.offset else None,
    }
    found = [f'<{_address(page.limit, offset)}>; rel="{name}"' for name, offset in near.items() if offset is not None]
    return {"X-Total-Count": str(total), **({"Link": ", ".join(found)} if found else {})}


def _address(limit: int, offset: int) -> str:
    others = {name: value for name, value in request.args.items() if name not in ("limit", "offset")}
    return f"{request.path}?{urlencode({**others, 'limit': limit, 'offset': offset})}"
