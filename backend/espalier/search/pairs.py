"""The most similar pairs among all frames, or between two sets of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..jobs.house import House
from ..jobs.progress import Progress
from ..similarity.pairs import most_similar
from ..store.rows import Project
from .conditions import Conditions, allowed_in
from .fields import Json, known_fields, number_in
from .looked_at import look_at

_MOST_PAIRS = 1000


@dataclass(frozen=True)
class PairsRequest:
    """k: how many. against: conditions of the other frame of a pair; without, both are any for which the conditions
    hold. min_score: the least cosine."""

    k: int = 50
    conditions: Conditions = field(default_factory=Conditions)
    against: Conditions | None = None
    min_score: float = -1.0

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> PairsRequest:
        given = known_fields(value, cls, "pairs")
        least = number_in(given, "min_score", -1, 1)
        return cls(
            k=number_in(given, "k", 1, _MOST_PAIRS, whole=True) or 50,
            conditions=Conditions.from_json(given.get("conditions")),
            against=None if given.get("against") is None else Conditions.from_json(given["against"]),
            min_score=-1.0 if least is None else least,
        )


def pairs(house: House, project: Project, request: PairsRequest, progress: Progress) -> Json:
    """Of two shots the best pair alone; frames of one shot are none."""
    looked = look_at(house, project, request.conditions if request.against is None else Conditions(), progress)
    sides = None
    if request.against is not None:
        sides = np.zeros(len(looked), np.int8)
        for bit, conditions in ((1, request.conditions), (2, request.against)):
            allowed = allowed_in(looked.found, conditions)
            sides |= (np.int8(bit) * (True if allowed is None else np.isin(looked.ids, allowed))).astype(np.int8)
    found = most_similar(
        looked.embeddings,
        request.k,
        shots=looked.shots(),
        sides=sides,
        least=request.min_score,
        report=lambda done, total: progress.report(done, total, "comparing frames"),
    )
    told = []
    for rows, score in zip(found.rows, found.scores.tolist(), strict=True):
        hits = looked.hits(rows)
        if len(hits) == 2:
            told.append({"score": round(score, 6), "hits": hits})
    return {"pairs": told, "frames": len(looked), "of": looked.of, "note": looked.note}
