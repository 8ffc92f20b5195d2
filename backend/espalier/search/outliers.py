"""Frames that are least, or most, like the others: of all, or of those for which conditions hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..jobs.house import House
from ..jobs.progress import Progress
from ..similarity.scenes import spread
from ..similarity.typicality import spread_out, typicality
from ..store.rows import Project
from .conditions import Conditions
from .fields import Json, choice_in, known_fields, number_in
from .looked_at import look_at

_ORDERS = ("least", "most")
_MOST_HITS = 1000
_ALIKE = 0.18
"""As a share of the mean squared distance: nearer ones are of the same thing, and one of them stands for both."""


@dataclass(frozen=True)
class OutliersRequest:
    """order: least typical or most typical first. The condition `label` compares the frames of one class."""

    k: int = 20
    order: str = "least"
    conditions: Conditions = field(default_factory=Conditions)

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> OutliersRequest:
        given = known_fields(value, cls, "outliers")
        return cls(
            k=number_in(given, "k", 1, _MOST_HITS, whole=True) or 20,
            order=choice_in(given, "order", _ORDERS, default="least"),
            conditions=Conditions.from_json(given.get("conditions")),
        )


def outliers(house: House, project: Project, request: OutliersRequest, progress: Progress) -> Json:
    """score: the mean cosine to the nearest frames of other media. Of a shot one frame alone; the most typical ones are
    of different things, as far as there are such."""
    looked = look_at(house, project, request.conditions, progress)
    progress.report(0, 0, "comparing frames")
    score = typicality(looked.embeddings, looked.media)
    ranked = np.lexsort((looked.ids, score if request.order == "least" else -score))
    one_each = np.sort(np.unique(looked.shots()[ranked], return_index=True)[1])
    rows = ranked[one_each].astype(np.int64)
    if request.order == "most":
        rows = spread_out(looked.embeddings, rows, request.k, alike=1 - 0.5 * _ALIKE * spread(looked.embeddings))
    rows = rows[: request.k]
    return {
        "hits": looked.hits(rows, [{"score": round(float(score[row]), 6)} for row in rows.tolist()]),
        "frames": len(looked),
        "of": looked.of,
        "note": looked.note,
    }
