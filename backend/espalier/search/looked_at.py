"""Frames that are looked at together: their embeddings, which of them are one shot, and where each is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import Embeddings, Ids
from ..jobs.house import House
from ..jobs.progress import Progress
from ..similarity.scenes import shots
from ..store.frame_ids import frame_of, media_of
from ..store.rows import Project
from .conditions import Conditions
from .fields import Json
from .hits import hits_of
from .project_frames import project_frames
from .searchable import Searchable, searchable
from .searching import SCENE_GAP_S

MOST = 200_000
"""Frames that are compared with each other at once; of more, an even sample."""


@dataclass(frozen=True)
class LookedAt:
    """ids int64 (n,), ascending; embeddings float32 (n, dim), rows of norm 1. of: how many there were to choose."""

    found: Searchable
    ids: Ids
    embeddings: Embeddings
    of: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def media(self) -> Ids:
        return media_of(self.ids)

    def shots(self) -> Ids:
        """Of each frame, which shot it is in, int64 (n,): those of a video that lie together and look alike are one."""
        if not (self.found.shown.kinds == "video").any():
            return np.arange(len(self), dtype=np.int64)
        lengths, durations_s = self.found.shown.lengths, self.found.shown.durations_s
        number = self.media - 1
        per_second = np.where(durations_s > 0, lengths / np.maximum(durations_s, 1e-6), 1.0)[number]
        gaps = np.maximum(1, SCENE_GAP_S * per_second).astype(np.int64)
        return shots(self.embeddings, self.media, frame_of(self.ids), gap=gaps)

    def hits(self, rows: Ids, more: Sequence[Mapping[str, object]] | None = None) -> list[Json]:
        """By row; those that no task shows any more are left out."""
        return hits_of(self.found, self.ids[rows], [{}] * len(rows) if more is None else more)

    @property
    def note(self) -> str:
        if not len(self):
            return "no frame that is embedded meets the conditions: `espalier embed` embeds the rest"
        if len(self) < self.of:
            return f"an even sample: {len(self)} of {self.of} frames were looked at"
        return ""


def look_at(
    house: House, project: Project, conditions: Conditions, progress: Progress, *, most: int = MOST
) -> LookedAt:
    """All frames for which the conditions hold, or an even sample of `most`."""
    frames = project_frames(house, project, conditions, progress, most=most)
    return LookedAt(searchable(house, project), frames.ids, frames.embeddings, frames.of)


def scene_of(looked: LookedAt, rows: Ids) -> Json | None:
    """The stretch of a video that these rows, of one media, lie in; frames as people count them."""
    media = looked.found.shown.of_number(int(looked.media[rows[0]]))
    if media.kind != "video":
        return None
    frames = frame_of(looked.ids[rows])
    return {
        "first": int(frames.min()) + 1,
        "last": int(frames.max()) + 1,
        "frames": len(rows),
        "others": [
            {"id": int(looked.ids[row]), "frame": int(frame) + 1}
            for row, frame in zip(rows[1:].tolist(), frames[1:].tolist(), strict=True)
        ],
    }
