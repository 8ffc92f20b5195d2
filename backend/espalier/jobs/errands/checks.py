"""Errands that look whether everything answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ...checking.installation import examine
from ...checking.label_studio import connection
from ...checking.storage import free_bytes, stored
from ...store.rows import Project
from ..house import House
from ..progress import Progress


def connected(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Does Label Studio reach this backend, and tell it of annotations: name, state, found, remedy of each check."""
    return {"items": [asdict(check) for check in connection(house, project)]}


def installation(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """All that `espalier doctor` says."""
    return {"items": [asdict(check) for check in examine(house)]}


def storage(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """What the data directory holds: name, meaning, files and size_bytes of each part; and what is free beside it."""
    directory = house.settings.data_dir.resolve()
    return {"items": [asdict(one) for one in stored(directory)], "free_bytes": free_bytes(directory)}
