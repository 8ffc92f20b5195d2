"""Scenes: frames of one video that lie close behind each other are one find, and not twenty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids


@dataclass(frozen=True)
class Scene:
    """hits int64 (m,): places in what was collapsed, best first. first, last: its outermost frames, both within it."""

    hits: Ids
    first: int
    last: int

    @property
    def best(self) -> int:
        return int(self.hits[0])


def collapse(
    ids: Ids, scores: NDArray[np.floating], media: Ids, frames: Ids, *, gap: int | NDArray[np.integer]
) -> list[Scene]:
    """Every hit in one scene, the scene with the best hit first.

    ids, media, frames int64 (n,), scores (n,), high is good; in any order. Frames of one media no more than `gap`
    frames after another hit belong to its scene; a gap for each hit, int (n,), where videos differ in pace: equal
    within a media. Ties go to the lower id.
    """
    rank = ranking(ids, scores)
    number = scene_numbers(media, frames, gap=gap)
    best: dict[int, list[int]] = {}
    for place in rank.tolist():
        best.setdefault(int(number[place]), []).append(place)
    return [
        Scene(np.array(places, np.int64), int(frames[places].min()), int(frames[places].max()))
        for places in best.values()
    ]


def scene_numbers(media: Ids, frames: Ids, *, gap: int | NDArray[np.integer]) -> Ids:
    """Of each frame, which scene it is in, int64 (n,), from 0, by media, then frame."""
    order = np.lexsort((frames, media))
    of_media, at = media[order], frames[order]
    most = np.broadcast_to(np.asarray(gap, np.int64), media.shape)[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (of_media[1:] != of_media[:-1]) | (at[1:] - at[:-1] > most[1:])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(begins) - 1
    return number


def ranking(ids: Ids, scores: NDArray[np.floating]) -> Ids:
    """Places, the best score first; ties go to the lower id, so that answers repeat."""
    order: Ids = np.lexsort((ids, -np.asarray(scores, np.float64))).astype(np.int64)
    return order


_CHANGED = 0.35
"""A shot ends where a frame is this share of the mean squared distance of two rows away from its first frame.

Copies of a picture lie under 0.1, other pictures of the same kind of thing beyond 0.18 (see labeling/duplicates.py)."""


def shots(embeddings: Embeddings, media: Ids, frames: Ids, *, gap: int | NDArray[np.integer]) -> Ids:
    """Of each frame, which shot it is in, int64 (n,), from 0, by media, then frame.

    A shot is a scene as in `scene_numbers` as long as it looks alike: also where every frame of a video is there, and
    `gap` parts none of them. embeddings float32 (n, d), rows of norm 1.
    """
    scene = scene_numbers(media, frames, gap=gap)
    reach = _CHANGED * spread(embeddings)
    order = np.lexsort((frames, media))
    number, before, shot = np.empty(len(order), np.int64), -1, -1
    sizes = np.bincount(scene, minlength=1)[scene]
    first = embeddings[:0]
    for place in order.tolist():
        if scene[place] != before:
            begins = True
        else:
            apart = embeddings[place] - first
            begins = float(apart @ apart) > reach
        if begins:
            shot += 1
            # Most scenes are single pictures, and need no row to compare with.
            first = embeddings[place] if sizes[place] > 1 else first
        number[place], before = shot, scene[place]
    return number


def spread(embeddings: Embeddings) -> float:
    """Mean squared distance of two rows; 0 of none."""
    centred = embeddings - embeddings.mean(axis=0) if len(embeddings) else embeddings
    return 2.0 * float(np.einsum("nd,nd->", centred, centred)) / max(1, len(embeddings))
