"""Clustering: embeddings in as many heaps as asked for, the same heaps for the same seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids

_ROUNDS = 20
_BLOCK = 8192
_ENOUGH = 20_000
"""Rows from which the centres are found; the others join the nearest."""


def clusters(embeddings: Embeddings, count: int, *, seed: int = 0) -> Ids:
    """The cluster of each row, int64 (n,), within [0, count), by k-means (Lloyd) from k-means++ centres.

    embeddings float32 (n, d). Numbers go by size, the largest is 0; where there are fewer different rows than count,
    there are fewer clusters.
    """
    n = len(embeddings)
    if n == 0:
        return np.zeros(0, np.int64)
    rng = np.random.default_rng(seed)
    some = embeddings if n <= _ENOUGH else embeddings[np.sort(rng.choice(n, _ENOUGH, replace=False))]
    centres = _centres(some, max(1, min(count, len(some))), rng)
    for _ in range(_ROUNDS):
        member = _nearest(some, centres)
        held = np.zeros((len(centres), len(some)), np.float32)
        held[member, np.arange(len(some))] = 1.0
        size = held.sum(axis=1, keepdims=True)
        moved = np.where(size > 0, (held @ some) / np.maximum(size, 1.0), centres)
        if np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    member = _nearest(embeddings, centres)
    present, member, sizes = np.unique(member, return_inverse=True, return_counts=True)
    rank = np.empty(len(present), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(present))
    return np.asarray(rank[member.reshape(-1)], np.int64)


def _centres(rows: Embeddings, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    chosen = [int(rng.integers(len(rows)))]
    away = _squared(rows, rows[chosen[0]])
    while len(chosen) < count and away.max() > 1e-9:
        chosen.append(int(rng.choice(len(rows), p=away / away.sum())))
        away = np.minimum(away, _squared(rows, rows[chosen[-1]]))
    return rows[chosen].astype(np.float32)


def _squared(rows: Embeddings, one: NDArray[np.float32]) -> NDArray[np.float64]:
    # From squared lengths; what rounding leaves of a row's distance to itself is none.
    found = np.einsum("nd,nd->n", rows, rows) - 2.0 * (rows @ one) + float(one @ one)
    return np.asarray(np.where(found > 1e-6, found, 0.0), np.float64)


def _nearest(rows: Embeddings, centres: NDArray[np.float32]) -> Ids:
    half = 0.5 * np.einsum("kd,kd->k", centres, centres)
    parts = [(half - rows[at : at + _BLOCK] @ centres.T).argmin(axis=1) for at in range(0, len(rows), _BLOCK)]
    return np.asarray(np.concatenate(parts), np.int64)
