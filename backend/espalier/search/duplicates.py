"""Duplicates among a project's frames: the same file in several tasks, equal pictures, and nearly equal ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..contract import Ids
from ..jobs.house import House
from ..jobs.progress import Progress
from ..labeling.duplicates import NEAR
from ..labeling.duplicates import duplicates as grouped
from ..similarity.scenes import spread
from ..store.rows import Project
from .conditions import Conditions
from .fields import Json, known_fields, number_in
from .looked_at import LookedAt, look_at, scene_of
from .said import Said, said_of

_MOST_GROUPS = 1000
_MOST_HITS = 200
"""Of one group that are told."""


@dataclass(frozen=True)
class DuplicatesRequest:
    """min_score: the cosine from which frames are nearly the same; without, it goes by how far frames lie apart here.
    k: how many groups of a kind."""

    conditions: Conditions = field(default_factory=Conditions)
    min_score: float | None = None
    k: int = 100

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> DuplicatesRequest:
        given = known_fields(value, cls, "duplicates")
        return cls(
            conditions=Conditions.from_json(given.get("conditions")),
            min_score=number_in(given, "min_score", 0, 1),
            k=number_in(given, "k", 1, _MOST_GROUPS, whole=True) or 100,
        )


def duplicates(house: House, project: Project, request: DuplicatesRequest, progress: Progress) -> Json:
    """Groups, the largest first; of each, the first hit is the one to keep: people labeled it, or it was there first.

    kind: `exact` (equal pictures; with one hit, the same file in the tasks of its `also`), or `near`. Of a video, a
    stretch that is alike is one hit. redundant: frames that could go, of all groups.
    """
    looked = look_at(house, project, request.conditions, progress)
    usual = spread(looked.embeddings)
    share = NEAR if request.min_score is None else 2 * (1 - request.min_score) / max(usual, 1e-12)
    progress.report(0, 0, "comparing frames")
    alike = grouped(looked.embeddings, media=looked.media.astype(np.str_), near=share)
    shots, said = looked.shots(), said_of(looked.found, looked.ids)
    files = _in_several_tasks(looked)
    found: dict[str, list[Json]] = {"exact": [], "near": []}
    totals = {}
    exact = [*alike.exact, *(np.array([row]) for row in files if not _is_in(row, alike.exact))]
    for kind, groups in (("exact", exact), ("near", list(alike.near))):
        merged = _of_shots(groups, shots)
        totals[kind] = len(merged)
        for rows in merged[: request.k]:
            found[kind].append(_group(looked, said, shots, rows, kind))
    kept = alike.kept(len(looked))
    return {
        "groups": [*found["exact"], *found["near"]],
        "exact": totals["exact"],
        "near": totals["near"],
        "redundant": int((~kept).sum()),
        "min_score": round(1 - 0.5 * share * usual, 6),
        "frames": len(looked),
        "of": looked.of,
        "note": looked.note,
    }


def _in_several_tasks(looked: LookedAt) -> list[int]:
    """Rows of media that more than one task shows: one content has one number."""
    shown = looked.found.shown
    pairs = np.unique(np.stack([shown.media, shown.tasks], axis=1), axis=0)
    numbers, tasks = np.unique(pairs[:, 0], return_counts=True)
    several = np.isin(looked.media, numbers[tasks > 1])
    first = np.unique(looked.media[several], return_index=True)[1]
    rows: list[int] = np.flatnonzero(several)[first].tolist()
    return rows


def _is_in(row: int, groups: tuple[Ids, ...]) -> bool:
    return any(row in group for group in groups)


def _of_shots(groups: list[Ids], shots: Ids) -> list[Ids]:
    """Groups of the same shots are one: frame by frame, two copies of a video are hundreds. The largest first."""
    merged: dict[tuple[int, ...], list[Ids]] = {}
    for group in groups:
        merged.setdefault(tuple(sorted(set(shots[group].tolist()))), []).append(group)
    found = [np.unique(np.concatenate(parts)) for parts in merged.values()]
    return sorted(found, key=lambda rows: (-len(set(shots[rows].tolist())), -len(rows), int(rows[0])))


def _group(looked: LookedAt, said: Said, shots: Ids, rows: Ids, kind: str) -> Json:
    by_shot: dict[int, list[int]] = {}
    for row in rows.tolist():
        by_shot.setdefault(int(shots[row]), []).append(row)
    first = np.array([of[0] for of in by_shot.values()], np.int64)
    labeled = np.array([bool(said.people[of].any()) for of in by_shot.values()])
    order = np.lexsort((looked.ids[first], ~labeled))
    more = [{"scene": scene_of(looked, np.array(of))} for of in by_shot.values()]
    shown = order[:_MOST_HITS]
    hits = looked.hits(first[shown], [more[place] for place in shown.tolist()])
    products = looked.embeddings[first] @ looked.embeddings[first[order[0]]]
    return {
        "kind": kind,
        "size": len(by_shot),
        "min_score": round(float(min(1.0, products.min())), 6),
        "labels_differ": _differ(said, first[labeled]),
        "hits": hits,
    }


def _differ(said: Said, rows: Ids) -> bool:
    """Whether people answered them differently, where they answered the same classification."""
    both = np.flatnonzero(said.people[rows].all(axis=0))
    return bool(len(rows) > 1 and (said.holds[rows][:, both] != said.holds[rows[0], both]).any())
