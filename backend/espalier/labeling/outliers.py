"""Outliers: rows that are unlike the others that were given the same answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from ..contract import Embeddings, Ids, Mask, Targets

_NEAREST = 5
_FEWEST = 5
"""Rows of an option under which nothing can be said of what is usual there."""
_CUT = 2.5
"""Robust standard deviations from the usual distance.

Of pictures from another set that were put among five sets', 50 to 100 % lie beyond, and 0.3 to 2.5 % of their own."""
_BLOCK = 4096


@dataclass(frozen=True)
class Outliers:
    """score float32 (n, k) in [0, 1]: how unusual a row is among those of an option that it shows; 0 elsewhere.

    0.5 is the usual, 0.994 is 2.5 robust standard deviations away. named bool (n, k): beyond the cut.
    ranked int64 (m, 2): (row, option) of those that are named, most unusual first.
    """

    score: NDArray[np.float32]
    named: NDArray[np.bool_]
    ranked: Ids


def outliers(
    embeddings: Embeddings, targets: Targets, mask: Mask, *, groups: Ids | None = None, cut: float = _CUT
) -> Outliers:
    """By distance to the nearest rows of other groups that show the same option, against what is usual in the option.

    embeddings float32 (n, d) of norm 1, targets and mask (n, k), groups int64 (n,): frames of one media share one.
    """
    n, k = targets.shape
    groups = np.arange(n, dtype=np.int64) if groups is None else groups
    unusual = np.full((n, k), -np.inf)
    for option in range(k):
        rows = np.flatnonzero(mask[:, option] & (targets[:, option] > 0.5))
        if len(np.unique(groups[rows])) >= _FEWEST:
            away = _distance(embeddings[rows], groups[rows])
            usual = float(np.median(away))
            # Distances are skewed; the upper half alone says how far the usual goes up.
            upper = away[away >= usual] - usual
            scale = max(1.4826 * float(np.median(upper)), 1e-3)
            unusual[rows, option] = (away - usual) / scale
    named = unusual > cut
    at = np.argwhere(named)
    ranked = at[np.argsort(-unusual[named], kind="stable")]
    return Outliers(np.asarray(ndtr(unusual), np.float32), named, ranked.astype(np.int64))


def _distance(embeddings: Embeddings, groups: Ids) -> NDArray[np.float64]:
    """Mean distance of each row to its nearest rows of other groups."""
    away = np.empty(len(embeddings))
    others = min(_NEAREST, len(np.unique(groups)) - 1)
    for start in range(0, len(embeddings), _BLOCK):
        rows = slice(start, start + _BLOCK)
        squared = np.maximum(2.0 - 2.0 * (embeddings[rows] @ embeddings.T), 0.0)
        squared[groups[rows][:, None] == groups[None]] = np.inf
        nearest = np.partition(squared, others - 1, axis=1)[:, :others]
        away[rows] = np.sqrt(nearest).mean(axis=1)
    return away
