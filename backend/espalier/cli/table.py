"""Lines for people: columns that stand below each other, times of this place, and counted things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Each row as one line; every column but the last is as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def moment(time: datetime) -> str:
    """2026-11-20 22:44, in the local time zone."""
    aware = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    return f"{aware.astimezone():%Y-%m-%d %H:%M}"


def counted(number: int, noun: str) -> str:
    """1 prediction, 2 predictions."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """40 s, 3 min, 2 h 5 min, 3 days."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "1 s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes / 60 / 24:.0f} days"
