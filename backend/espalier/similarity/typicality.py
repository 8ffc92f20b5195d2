"""Typicality: which rows stand for all, and which are furthest from what is usual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids

_NEAREST = 20
_JUDGES = 4096
"""Rows that each row is compared with: an even sample of all."""
_BLOCK = 4096


def typicality(embeddings: Embeddings, groups: Ids) -> NDArray[np.float32]:
    """How near a row's neighbours of other groups are, float32 (n,): the mean cosine to the nearest 20.

    embeddings float32 (n, d), rows of norm 1; groups int64 (n,): of one media. The inverse of the distance to nearest
    neighbours is a density (TypiClust, Hacohen et al. 2022). Where there is one group alone, its rows are compared
    with each other; a row alone has 1.
    """
    n = len(embeddings)
    if len(np.unique(groups)) < 2:
        groups = np.arange(n, dtype=np.int64)
    judges = np.linspace(0, n - 1, min(n, _JUDGES)).round().astype(np.int64) if n else np.zeros(0, np.int64)
    found = np.ones(n, np.float32)
    near = min(_NEAREST, len(judges) - 1)
    for start in range(0, n if near > 0 else 0, _BLOCK):
        rows = slice(start, start + _BLOCK)
        alike = embeddings[rows] @ embeddings[judges].T
        alike[groups[rows][:, None] == groups[judges][None]] = np.nan
        best = -np.sort(-alike, axis=1)[:, :near]  # what is no number comes last
        there = np.isfinite(best)
        found[rows] = np.where(there, best, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.clip(found, -1.0, 1.0)


def spread_out(embeddings: Embeddings, ranked: Ids, count: int, *, alike: float) -> Ids:
    """The first `count` of the ranked rows, int64, of which no two reach the cosine `alike`, while there are such."""
    chosen: list[int] = []
    passed: list[int] = []
    for row in ranked.tolist():
        if len(chosen) == count:
            break
        near = chosen and float((embeddings[chosen] @ embeddings[row]).max()) >= alike
        (passed if near else chosen).append(row)
    return np.array((chosen + passed)[:count], np.int64)
