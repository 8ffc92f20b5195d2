"""Frames of a project with their embeddings: what everything but the plain search goes by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract import Embeddings, Ids
from ..jobs.house import House
from ..jobs.progress import Progress
from ..store.rows import Project
from .conditions import Conditions, allowed_in
from .searchable import searchable

_AT_ONCE = 8192
_SEED = 5
MESSAGE = "reading embeddings"


@dataclass(frozen=True)
class ProjectFrames:
    """ids int64 (n,), ascending; embeddings float32 (n, dim), rows of norm 1. of: how many there were to choose."""

    ids: Ids
    embeddings: Embeddings
    of: int = 0

    def __len__(self) -> int:
        return len(self.ids)


def project_frames(
    house: House, project: Project, conditions: Conditions, progress: Progress, *, most: int | None = None
) -> ProjectFrames:
    """Those that can be searched and for which the conditions hold; with `most`, an even sample, the same each time."""
    found = searchable(house, project)
    allowed = allowed_in(found, conditions)
    every = found.frames.ids if allowed is None else allowed
    ids = sample(every, most)
    embeddings = np.empty((len(ids), found.encoder.spec.dim), np.float32)
    for start in range(0, len(ids), _AT_ONCE):
        progress.report(start, len(ids), MESSAGE)
        embeddings[start : start + _AT_ONCE] = found.frames.read(ids[start : start + _AT_ONCE])
    return ProjectFrames(ids, embeddings, len(every))


def sample(ids: Ids, most: int | None) -> Ids:
    """One from each of `most` equal stretches: all media, and all of a video, in their share."""
    if most is None or len(ids) <= most:
        return ids
    edges = np.linspace(0, len(ids), most + 1)
    within = np.random.default_rng(_SEED).random(most)
    chosen: Ids = ids[(edges[:-1] + within * np.diff(edges)).astype(np.int64).clip(0, len(ids) - 1)]
    return chosen
