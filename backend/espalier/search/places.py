"""From frame ids to where people see the frames: which task, which of its media, and which frame of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..contract import Ids
from ..jobs.house import House
from ..store.frame_ids import frame_of, media_of
from ..store.rows import Project
from .searchable import searchable
from .shown_media import ShownMedia


@dataclass(frozen=True)
class Place:
    """frame: from 0, within the task's media as people see it: the item of a sequence, the frame of a video, 0 of an
    image. time_s: of a video at an even pace, when the frame is shown; None elsewhere."""

    id: int
    task_id: int
    tag: str
    frame: int
    time_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Frames as people count them, from 1."""
        return {"id": self.id, "task": self.task_id, "tag": self.tag, "frame": self.frame + 1, "time_s": self.time_s}


def places(house: House, project: Project, ids: Ids) -> list[tuple[Place, ...]]:
    """By id, everywhere it is shown, the lowest task first; nowhere where no task shows it any more."""
    return places_in(searchable(house, project).shown, ids)


def places_in(shown: ShownMedia, ids: Ids) -> list[tuple[Place, ...]]:
    return [
        tuple(_place(shown, id, frame, row) for row in shown.rows_of(number))
        for id, number, frame in zip(ids.tolist(), media_of(ids).tolist(), frame_of(ids).tolist(), strict=True)
    ]


def _place(shown: ShownMedia, id: int, frame: int, row: int) -> Place:
    media = shown.of_number(int(shown.media[row]))
    time_s = None
    if media.kind == "video":
        time_s = round(frame * media.duration_s / max(media.length, 1), 3)
    # Of a frame's two numbers, the item and the frame within the media, one is always 0.
    at = int(shown.items[row]) + frame
    return Place(id, int(shown.tasks[row]), shown.tag_names[int(shown.tags[row])], at, time_s)
