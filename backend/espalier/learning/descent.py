"""Descent: from the scores of a classification's questions to the paths that are answered, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from espalier_ontology.tree import Classification, Path

from ..contract import Scores
from .cutoffs import Cutoffs, answered
from .head import Head
from .intervals import Bits, Confidences
from .questions import Key


@dataclass(frozen=True)
class Descent:
    """One column per path p that may be answered: those of trained heads, without parents where only leaves may be.

    confidence float64 (n, p): along a path the product of its steps. ends bool (n, p): where the path is answered and
    none below it is. cutoffs float64 (p,). exclusive: at most one path ends on a row.
    """

    paths: tuple[Path, ...]
    confidence: Confidences
    ends: Bits
    cutoffs: Cutoffs
    exclusive: bool


def descend(
    classification: Classification,
    heads: Mapping[Key, Head],
    scores: Mapping[Key, Scores],
    cutoffs_of: Callable[[Head], Cutoffs],
    rows: int,
) -> Descent:
    """Down from the root while options are at or above their cutoffs.

    scores: by question, float32 (rows, k), calibrated; a question without scores is not asked, nor any below it.
    """
    confidence: dict[Path, Confidences] = {}
    holds: dict[Path, Bits] = {}
    deeper: dict[Path, Bits] = {}
    cutoff: dict[Path, float] = {}
    exclusive = True
    for siblings in classification.siblings():
        parent, key = siblings.parent, (classification.name, siblings.parent)
        head = heads.get(key)
        if head is None or not head.trained or key not in scores or (parent and parent not in holds):
            continue
        own, cutoffs = scores[key].astype(np.float64), cutoffs_of(head)
        if parent:
            own = own * confidence[parent][:, None]
        high = answered(own, cutoffs, exclusive=head.exclusive)
        if parent:
            high = high & holds[parent][:, None]
        exclusive = exclusive and head.exclusive
        deeper[parent] = np.asarray(high.any(axis=1))
        for column, path in enumerate(head.options):
            confidence[path], holds[path], cutoff[path] = own[:, column], high[:, column], float(cutoffs[column])
    ends = {
        path: held & ~deeper[path] if path in deeper else held
        for path, held in holds.items()
        if not classification.leaves_only or classification.is_leaf(path)
    }
    return Descent(
        tuple(ends),
        np.stack([confidence[path] for path in ends], axis=1) if ends else np.zeros((rows, 0)),
        np.stack(list(ends.values()), axis=1) if ends else np.zeros((rows, 0), np.bool_),
        np.array([cutoff[path] for path in ends]),
        exclusive,
    )
