"""The search: from what is sought to the frames most like it, those alone for which the conditions hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..contract import Ids, IndexReport, Scores
from ..errors import BadIndex
from ..jobs.house import House
from ..jobs.progress import Progress
from ..similarity.scenes import Scene, collapse
from ..store.frame_ids import frame_of, media_of
from ..store.rows import Project
from .conditions import Conditions, allowed_in
from .fields import Json, flag_in, known_fields, number_in
from .hits import hits_of
from .project_index import ProjectIndex, project_index
from .searchable import Searchable, searchable
from .sought import Resolved, Sought, resolve

MOST = 1000
SCENE_GAP_S = 2.0
"""Hits of one video that lie no further apart are one scene."""
_CUT = 0.15
"""Where the score changes by more than this share of the best from one hit to the next, something else is shown."""
_FETCHED_MOST = 20_000


@dataclass(frozen=True)
class SearchRequest:
    """k: how many hits, or scenes. except_itself: the frames that are asked with are not among them."""

    query: Sought
    k: int = 20
    conditions: Conditions = field(default_factory=Conditions)
    scenes: bool = True
    except_itself: bool = True

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> SearchRequest:
        given = known_fields(value, cls, "search")
        return cls(
            query=Sought.from_json(given.get("query", {})),
            k=number_in(given, "k", 1, MOST, whole=True) or 20,
            conditions=Conditions.from_json(given.get("conditions")),
            scenes=flag_in(given, "scenes", default=True),
            except_itself=flag_in(given, "except_itself", default=True),
        )


def search(house: House, project: Project, request: SearchRequest, progress: Progress) -> Json:
    """As JSON. Raises BadRequest and BadMedia in words."""
    found = searchable(house, project)
    resolved = resolve(house, project, found, request.query, progress)
    allowed = allowed_in(found, request.conditions)
    index = project_index(house, project, found, progress)
    try:
        scenes, ids, scores = _nearest(found, index, request, resolved, allowed)
    except BadIndex:
        index.bring_up_to(found, progress)  # it broke under us, and is made anew
        scenes, ids, scores = _nearest(found, index, request, resolved, allowed)
    best = np.array([scene.best for scene in scenes], np.int64)
    more = [
        {"score": round(float(scores[scene.best]), 6), "scene": _scene(found, scene, ids, scores)} for scene in scenes
    ]
    return {
        "hits": hits_of(found, ids[best], more),
        "searched": len(found.frames.ids) if allowed is None else len(allowed),
        "of": len(found.frames.ids),
        "index": report_json(index.report()),
        "note": _note(found, allowed),
    }


def report_json(report: IndexReport) -> Json:
    return {
        "kind": report.kind,
        "vectors": report.vectors,
        "recall": report.recall,
        "reason": report.reason,
        "size_bytes": report.size_bytes,
    }


def _nearest(
    found: Searchable, index: ProjectIndex, request: SearchRequest, resolved: Resolved, allowed: Ids | None
) -> tuple[list[Scene], Ids, Scores]:
    """The scenes asked for, best first, and the ids and scores that they point to.

    Of a video, many hits are one scene: then more are fetched, until there are enough.
    """
    there = len(found.frames.ids) if allowed is None else len(allowed)
    itself = resolved.itself if request.except_itself else resolved.itself[:0]
    has_videos = request.scenes and bool((found.shown.kinds == "video").any())
    fetched = request.k * (4 if has_videos else 1) + len(itself)
    while True:
        ids, scores = _merged(*index.search(resolved.queries, max(1, min(fetched, there)), allowed))
        scenes = _scenes(found, ids, scores, itself) if has_videos else _single(ids, scores, itself)
        if len(scenes) >= request.k or fetched >= min(there, _FETCHED_MOST):
            return scenes[: request.k], ids, scores
        fetched *= 4


def _merged(ids: Ids, scores: Scores) -> tuple[Ids, Scores]:
    """Each id once, with the best of its scores; the best first, ties to the lower id."""
    ids, scores = ids.ravel(), scores.ravel()
    ids, scores = ids[ids >= 0], scores[ids >= 0]
    order = np.lexsort((ids, -scores))
    first = np.sort(np.unique(ids[order], return_index=True)[1])
    return ids[order][first], scores[order][first]


def _single(ids: Ids, scores: Scores, itself: Ids) -> list[Scene]:
    frames = frame_of(ids)
    return [
        Scene(np.array([place]), int(frames[place]), int(frames[place]))
        for place in np.flatnonzero(~np.isin(ids, itself)).tolist()
    ]


def _scenes(found: Searchable, ids: Ids, scores: Scores, itself: Ids) -> list[Scene]:
    """Without those of the frames that are asked with: the frame after one's own is no find."""
    shown, numbers = found.shown, media_of(ids)
    paces_s = shown.durations_s[numbers - 1] / np.maximum(shown.lengths[numbers - 1], 1)
    gaps = np.where(paces_s > 0, np.maximum(1, SCENE_GAP_S / np.maximum(paces_s, 1e-6)), 1).astype(np.int64)
    scenes = collapse(ids, scores, _looks(ids, scores), frame_of(ids), gap=gaps)
    return [scene for scene in scenes if not np.isin(ids[scene.hits], itself).any()]


def _looks(ids: Ids, scores: Scores) -> Ids:
    """Stretches of hits of one media, numbered, int64 (n,): a cut shows in the scores of the frames before and after.

    Without it the more hits are fetched the longer the scenes were, up to whole videos.
    """
    if not len(ids):
        return ids
    order = np.argsort(ids)
    cut = np.abs(np.diff(scores[order])) > _CUT * float(np.abs(scores).max())
    begins = np.concatenate([[True], cut | (np.diff(media_of(ids[order])) != 0)])
    looks = np.empty(len(ids), np.int64)
    looks[order] = np.cumsum(begins)
    return looks


def _scene(found: Searchable, scene: Scene, ids: Ids, scores: Scores) -> Json | None:
    """Of videos; frames as people count them."""
    media = found.shown.of_number(int(media_of(ids[scene.best])))
    if media.kind != "video":
        return None
    frames = frame_of(ids[scene.hits])
    return {
        "first": scene.first + 1,
        "last": scene.last + 1,
        "frames": len(scene.hits),
        "others": [
            {"id": int(ids[hit]), "frame": int(frame) + 1, "score": round(float(scores[hit]), 6)}
            for hit, frame in zip(scene.hits[1:].tolist(), frames[1:].tolist(), strict=True)
        ],
    }


def _note(found: Searchable, allowed: Ids | None) -> str:
    if not len(found.frames.ids):
        return f"no frame is embedded by {found.encoder.spec.name} yet: predict or train, or run `espalier embed`"
    if allowed is not None and not len(allowed):
        return "no frame that is embedded meets the conditions"
    return ""
