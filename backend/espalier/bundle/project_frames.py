"""Some of a project's own frames, in three lots that share no media: to set scales, to choose by, and to judge on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..contract import Embeddings, Encoder, Pictures
from ..errors import BadMedia
from ..jobs.house import House
from ..jobs.opening import open_tasks
from ..media.media import BATCH, Media
from ..store.rows import Project

SCALES, CHOOSING, JUDGING = 96, 320, 320
"""How many frames of each lot are wanted."""
_TASKS = 800
_LOTS = ((0, 1), (1, 4), (4, 7))
"""Of seven media, or sevenths of a media, the first, the next three, and the rest."""


@dataclass(frozen=True)
class ProjectFrames:
    """Each uint8 (n, height, width, 3), n may be 0."""

    scales: Pictures
    choosing: Pictures
    judging: Pictures

    @property
    def apart(self) -> Pictures:
        """Those that no scale was set on."""
        return np.concatenate([self.choosing, self.judging])


def project_frames(house: House, project: Project, ontology: Ontology, size: tuple[int, int]) -> ProjectFrames:
    """Spread over the project's tasks, and over the length of each media. What cannot be read is left out.

    Where there are few media, each is cut into stretches instead, so that frames beside each other are in one lot.
    """
    tasks = list(house.records.tasks(project.key))
    chosen = [tasks[at] for at in np.unique(np.linspace(0, len(tasks) - 1, _TASKS).astype(int))] if tasks else []
    opened = open_tasks([(task.id, task.data) for task in chosen], ontology, house.fetcher(project))
    media = list({one.digest: one for found in opened for one in found.media.values()}.values())
    if len(media) >= 7:
        lots = [[one for at, one in enumerate(media) if low <= at % 7 < high] for low, high in _LOTS]
        shares = [(0.0, 1.0)] * 3
    else:
        lots, shares = [media] * 3, [(low / 7, high / 7) for low, high in _LOTS]
    wanted = (SCALES, CHOOSING, JUDGING)
    return ProjectFrames(*(_frames(*of, size) for of in zip(lots, shares, wanted, strict=True)))


def encoded(encoder: Encoder, frames: Pictures) -> Embeddings:
    """Embeddings float32 (n, dim) of n >= 1 frames, a few at a time."""
    return np.concatenate([encoder.encode(frames[start : start + BATCH]) for start in range(0, len(frames), BATCH)])


def _frames(media: Sequence[Media], share: tuple[float, float], count: int, size: tuple[int, int]) -> Pictures:
    chosen = [media[at] for at in np.unique(np.linspace(0, len(media) - 1, count).astype(int))] if media else []
    each = -(-count // max(1, len(chosen)))
    found: list[Pictures] = []
    for one in chosen:
        first, stop = int(np.ceil(share[0] * one.length)), int(np.ceil(share[1] * one.length))
        if first >= stop:
            continue
        wanted = Frames.at(np.unique(np.linspace(first, stop - 1, each).astype(int)).tolist())
        try:
            found += [pictures for _, pictures in one.pictures(wanted, size)]
        except BadMedia:
            continue
    return np.concatenate(found)[:count] if found else np.zeros((0, *size, 3), np.uint8)
