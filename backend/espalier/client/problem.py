"""What the server did not do, in its own words."""

from __future__ import annotations


class Problem(Exception):
    """status: of HTTP; 0 where nobody answered. kind: such as `not-found`. The text says what to do."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail

    def __str__(self) -> str:
        return f"{self.detail} ({self.kind or self.status})"
