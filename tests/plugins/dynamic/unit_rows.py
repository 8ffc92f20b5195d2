"""Rows for the tests of the index."""

from __future__ import annotations

import numpy as np

from espalier.contract import Embeddings, Ids


def scenes(count: int, dim: int, *, seed: int = 0) -> Embeddings:
    """float32 (count, dim) of norm 1: scenes of ten rows each, one after the other, around forty themes."""
    themes = np.random.default_rng(0).normal(size=(40, dim))
    rng = np.random.default_rng(seed)
    some = -(-count // 10)
    middles = themes[rng.integers(0, len(themes), some)] + 0.8 * rng.normal(size=(some, dim))
    rows = np.repeat(middles, 10, axis=0)[:count] + 0.4 * rng.normal(size=(count, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def found_share(queries: Embeddings, rows: Embeddings, ids: Ids, found: Ids) -> float:
    """The share of the true nearest that stands in `found` int64 (m, k); rows (n, dim) and their ids (n,)."""
    cosines = queries @ rows.T
    k = found.shape[1]
    least = np.partition(cosines, -k, axis=1)[:, -k, None]
    at = np.searchsorted(ids, found)
    assert np.array_equal(ids[np.minimum(at, len(ids) - 1)], found), "only what is held and allowed is found"
    return float((np.take_along_axis(cosines, at, axis=1) >= least - 1e-5).mean())
