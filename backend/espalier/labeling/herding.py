"""Herding: rows chosen one after the other so that what matters comes to lie near a row that is known.

Uncertainty herding (Bae et al. 2025): the next row is the one that covers the most doubt that is not covered yet, by a
kernel of distance. Without a model every row matters alike, and it takes what is typical and not yet covered (as
TypiClust does, Hacohen et al. 2022); with one it takes what stands for many doubtful rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids

_REACH = 0.8
"""Width of the kernel, in median distances of two rows. Of 0.35 to 1.0, 0.65 to 0.8 needed the fewest labels."""
_AT_MOST = 4000
"""Rows that stand for all, and rows that can be chosen; beyond, they are drawn."""
_AT_ONCE = 64
_OWN = 0.5
"""How much a row's own doubt counts beside the doubt that it covers, as an exponent."""


def herd(
    embeddings: Embeddings,
    known: NDArray[np.bool_],
    worth: NDArray[np.float64],
    groups: Ids,
    *,
    count: int,
    seed: int,
) -> tuple[Ids, NDArray[np.float64]]:
    """The rows to choose next, int64 (count,) at most, and what each covers of all doubt, float64, in [0, 1].

    embeddings float32 (n, d) of norm 1; known bool (n,): covered already, and not chosen; worth float64 (n,) of 0 and
    up. Of a group, one row is chosen, for as long as others are left.
    """
    rng = np.random.default_rng(seed)
    free = np.flatnonzero(~known)
    shown = _some(np.arange(len(known)), np.ones(len(known)), _AT_MOST, rng)
    chosen_from = _some(free, worth[free] + 1e-9, _AT_MOST, rng)
    if not len(chosen_from) or count < 1:
        return np.zeros(0, np.int64), np.zeros(0)
    width = _width(embeddings[shown], rng)
    near = _kernel(embeddings[shown], embeddings[chosen_from], width)  # (shown, candidates)
    covered = np.zeros(len(shown), np.float32)
    for start in range(0, int(known.sum()), _AT_MOST):
        part = np.flatnonzero(known)[start : start + _AT_MOST]
        covered = np.maximum(covered, _kernel(embeddings[shown], embeddings[part], width).max(axis=1))
    weight = (worth[shown] / max(float(worth[shown].sum()), 1e-12)).astype(np.float32)
    own = (worth[chosen_from] / max(float(worth[chosen_from].max()), 1e-12) + 1e-6) ** _OWN
    return _greedy(near, covered, weight, own, chosen_from, groups[chosen_from], min(count, len(chosen_from)))


def _greedy(
    near: NDArray[np.float32],
    covered: NDArray[np.float32],
    weight: NDArray[np.float32],
    own: NDArray[np.float64],
    rows: Ids,
    groups: Ids,
    count: int,
) -> tuple[Ids, NDArray[np.float64]]:
    """Lazily: what a row covers only falls as others are chosen, so old gains are bounds of the new ones."""
    gain = _gain(near, covered, weight)
    fresh = np.ones(len(rows), np.bool_)
    left = np.ones(len(rows), np.bool_)
    unused = np.ones(len(rows), np.bool_)  # of a group none of which is chosen yet
    chosen: list[int] = []
    gains: list[float] = []
    while len(chosen) < count:
        open_ = left & unused if (left & unused).any() else left
        value = np.where(open_, gain * own, -1.0)
        best = int(value.argmax())
        if not fresh[best]:
            stale = np.argpartition(-value, min(_AT_ONCE, len(value) - 1))[:_AT_ONCE]
            stale = stale[open_[stale] & ~fresh[stale]]
            gain[stale] = _gain(near[:, stale], covered, weight)
            fresh[stale] = True
            continue
        chosen.append(best)
        gains.append(float(gain[best]))
        left[best] = False
        unused[groups == groups[best]] = False
        covered = np.maximum(covered, near[:, best])
        fresh[:] = False
    return rows[chosen], np.array(gains)


def _gain(near: NDArray[np.float32], covered: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(weight @ np.maximum(near - covered[:, None], 0.0), np.float64)


def _kernel(a: Embeddings, b: Embeddings, width: float) -> NDArray[np.float32]:
    squared = np.maximum(2.0 - 2.0 * (a @ b.T), 0.0)
    return np.asarray(np.exp(squared * np.float32(-1.0 / width**2)), np.float32)


def _width(embeddings: Embeddings, rng: np.random.Generator) -> float:
    some = embeddings[_some(np.arange(len(embeddings)), np.ones(len(embeddings)), 1000, rng)]
    squared = np.maximum(2.0 - 2.0 * (some @ some.T), 0.0)[np.triu_indices(len(some), 1)]
    return _REACH * max(float(np.sqrt(np.median(squared))), 1e-3) if len(squared) else 1.0


def _some(rows: Ids, weight: NDArray[np.float64], count: int, rng: np.random.Generator) -> Ids:
    """At most so many of the rows, in order, drawn by weight."""
    if len(rows) <= count:
        return rows.astype(np.int64)
    keys = rng.exponential(size=len(rows)) / np.maximum(weight, 1e-12)  # the smallest are a draw without replacement
    return np.sort(rows[np.argpartition(keys, count)[:count]]).astype(np.int64)
