"""The most similar pairs among all frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids
from .close_pairs import close_pairs

_DIRECTIONS = 16
_STEPS = 4
_SEED = 11

Sides = NDArray[np.int8]
"""1 where a row may be the one of a pair, 2 where it may be the other, 3 both, int8 (n,)."""


@dataclass(frozen=True)
class Pairs:
    """rows int64 (m, 2), the lower row first; scores float32 (m,): cosines, the highest first."""

    rows: Ids
    scores: NDArray[np.float32]


def most_similar(
    embeddings: Embeddings,
    k: int,
    *,
    shots: Ids,
    sides: Sides | None = None,
    least: float = -1.0,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Pairs:
    """The k best pairs by cosine, of `least` or more; ties go to the lower rows.

    embeddings float32 (n, d), rows of norm 1. shots int64 (n,): rows of one shot are no pair, and of two shots the best
    pair counts alone. Exact; all pairs are looked at, in blocks. `report` hears of how many pieces are done.
    """
    sides = np.full(len(embeddings), 3, np.int8) if sides is None else sides
    best = _best(*_quick(embeddings, shots, sides), shots, k, least)

    def bar() -> float:
        return float(best.scores[-1]) if len(best.scores) >= k else least

    for i, j, scores in close_pairs(embeddings, bar, report):
        kept = _may_pair(i, j, shots, sides)
        rows = np.concatenate([best.rows, np.stack([i[kept], j[kept]], axis=1)])
        best = _best(rows, np.concatenate([best.scores, scores[kept]]), shots, k, least)
    return best


def _may_pair(i: Ids, j: Ids, shots: Ids, sides: Sides) -> NDArray[np.bool_]:
    may: NDArray[np.bool_] = shots[i] != shots[j]
    may &= ((sides[i] & 1) & (sides[j] >> 1) | (sides[j] & 1) & (sides[i] >> 1)).astype(np.bool_)
    return may


def _best(rows: Ids, scores: NDArray[np.float32], shots: Ids, k: int, least: float) -> Pairs:
    """The k best, one of each pair of shots."""
    order = np.lexsort((rows[:, 1], rows[:, 0], -scores))
    order = order[scores[order] >= least]
    of_shots = np.sort(shots[rows[order]], axis=1)
    first = np.sort(np.unique(of_shots[:, 0] * (int(shots.max(initial=0)) + 1) + of_shots[:, 1], return_index=True)[1])
    kept = order[first[:k]]
    return Pairs(rows[kept], scores[kept])


def _quick(embeddings: Embeddings, shots: Ids, sides: Sides) -> tuple[Ids, NDArray[np.float32]]:
    """Good pairs at little cost, so that the bar is high from the start: neighbours in a few random projections."""
    n = len(embeddings)
    towards = np.random.default_rng(_SEED).normal(size=(embeddings.shape[1], _DIRECTIONS)).astype(np.float32)
    pairs = []
    for line in ((embeddings - embeddings.mean(axis=0)) @ towards).T if n > 1 else ():
        order = np.argsort(line, kind="stable")
        pairs += [np.stack([order[:-step], order[step:]], axis=1) for step in range(1, min(_STEPS, n - 1) + 1)]
    rows = np.unique(np.sort(np.concatenate([np.zeros((0, 2), np.int64), *pairs]), axis=1), axis=0)
    rows = rows[_may_pair(rows[:, 0], rows[:, 1], shots, sides)]
    scores = [
        1.0 - 0.5 * np.square(embeddings[part[:, 0]] - embeddings[part[:, 1]]).sum(axis=1)
        for part in np.array_split(rows, len(rows) // 4096 + 1)
    ]
    return rows, np.concatenate(scores).astype(np.float32)
