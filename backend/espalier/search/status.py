"""What can be searched now, and how: asked before anything is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..jobs.house import House
from ..jobs.progress import Progress
from ..store.frame_ids import media_of
from ..store.rows import Project
from .fields import Json, known_fields
from .project_index import opened_index
from .searchable import Searchable, searchable
from .searching import report_json


@dataclass(frozen=True)
class StatusRequest:
    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> StatusRequest:
        known_fields(value, cls, "status")
        return cls()


def status(house: House, project: Project, request: StatusRequest, progress: Progress) -> Json:
    """The index as it is, and how many frames it is behind; a search brings it up to date first.

    tasks: that were opened, of_tasks that there are; embedded_tasks: whose media all have an embedded frame.
    """
    found = searchable(house, project)
    index = opened_index(house, project, found)
    return {
        "frames": len(found.frames.ids),
        "media": int(found.shown.is_shown.sum()),
        "tasks": len(set(found.shown.tasks.tolist())),
        "of_tasks": house.records.task_count(project.key),
        "embedded_tasks": _embedded_tasks(found),
        "encoder": found.encoder.spec.name,
        "reads_text": found.encoder.reads,
        "plugin": house.settings.index,
        "behind": index.behind(found),
        "index": report_json(index.report()),
    }


def _embedded_tasks(found: Searchable) -> int:
    shown = found.shown
    has_some = np.isin(shown.media, np.unique(media_of(found.frames.ids)))
    return len(np.setdiff1d(shown.tasks, shown.tasks[~has_some]))
