"""Checks: does everything answer, and if not, what to do."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .routes import Routes, Told


class CheckShown(Told):
    name: str
    state: Literal["ok", "warning", "failed"]
    found: str = Field(description="How it is, in words.")
    remedy: str = Field(description="What to do where it is not well; empty where it is.")


class CheckList(Told):
    """What was looked at, in turn."""

    items: list[CheckShown]


class StoredShown(Told):
    name: str
    meaning: str = Field(description="What it is for, and whether it can be made again.")
    files: int
    size_bytes: int


class Storage(Told):
    """What the data directory holds, the largest first."""

    items: list[StoredShown]
    free_bytes: int = Field(description="Left on its disk.")


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "POST", "/projects/<project>/check", CheckList, role="viewer", query=Wait, also=ALSO_LATER,
        refuses=(409, 422), id="checkProject",
    )  # fmt: skip
    def check(project: str, query: Wait) -> Any:
        """Does Label Studio reach this backend for this project, and tell it of annotations?"""
        return _answered("connection", project, query)

    @routes.endpoint(
        "POST", "/projects/<project>/check-installation", CheckList, role="manager", query=Wait, also=ALSO_LATER,
        refuses=(409, 422), id="checkInstallation",
    )  # fmt: skip
    def installation(project: str, query: Wait) -> Any:
        """All that `espalier doctor` says: disk, database, queue, workers, encoder, plugins, and every project."""
        return _answered("installation", project, query)

    @routes.endpoint(
        "GET", "/projects/<project>/storage", Storage, role="viewer", query=Wait, also=ALSO_LATER, refuses=(409, 422),
        id="getStorage",
    )  # fmt: skip
    def storage(project: str, query: Wait) -> Any:
        """What the data directory holds, of all projects."""
        return asking.answer(given.errand(given.project(project), "storage", {}), query.wait_s, Storage)

    def _answered(errand: str, project: str, query: Wait) -> Any:
        return asking.answer(given.errand(given.project(project), errand, {}), query.wait_s, CheckList)
