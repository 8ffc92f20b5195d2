"""Finding the project that a person means."""

from __future__ import annotations

from ..errors import BadRequest
from ..jobs.house import House
from ..store.rows import Project


def find_project(house: House, project: str) -> Project:
    """A project by its Label Studio id or its key; with several of one id (another Label Studio), the newest."""
    known = house.records.projects()
    matching = [entry for entry in known if project in (str(entry.id), entry.key)]
    if not matching:
        names = ", ".join(f"{entry.id} ({entry.title})" for entry in known) or "none yet"
        raise BadRequest(
            f"project {project!r} is not connected; connected: {names}. "
            f"Connect it in Label Studio under Settings > Model"
        )
    return max(matching, key=lambda entry: float(entry.key))
