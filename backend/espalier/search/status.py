"""What can be searched now, and how: asked before anything is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..jobs.house import House
from ..jobs.progress import Progress
from ..store.rows import Project
from .fields import Json, known_fields
from .project_index import opened_index
from .searchable import searchable
from .searching import report_json


@dataclass(frozen=True)
class StatusRequest:
    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> StatusRequest:
        known_fields(value, cls, "status")
        return cls()


def status(house: House, project: Project, request: StatusRequest, progress: Progress) -> Json:
    """The index as it is, and how many frames it is behind; a search brings it up to date first."""
    found = searchable(house, project)
    index = opened_index(house, project, found)
    return {
        "frames": len(found.frames.ids),
        "media": int(found.shown.is_shown.sum()),
        "tasks": len(set(found.shown.tasks.tolist())),
        "encoder": found.encoder.spec.name,
        "reads_text": found.encoder.reads,
        "plugin": house.settings.index,
        "behind": index.behind(found),
        "index": report_json(index.report()),
    }
