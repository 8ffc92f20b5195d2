"""Clusters by density: as many as there are, and what is in none of them (HDBSCAN, Campello et al. 2013)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN

from ..contract import Embeddings, Ids
from .principal import principal_axes

_AXES = 16
"""Density means little in many dimensions. Of 8 to 64 axes, the clusters of real sets were purest at 16."""
_SAMPLES = 3
"""Leaves of the tree are taken, not its stablest branches: of pictures of many kinds these were one heap of all."""
_MOST = 8000
"""Rows that are clustered; the others join their nearest of these where it is as near as is usual there."""
_BLOCK = 4096
_USUAL = 0.95


def density_clusters(embeddings: Embeddings, *, smallest: int | None = None) -> Ids:
    """The cluster of each row, int64 (n,), the largest is 0; -1 is in none. The same again each time.

    embeddings float32 (n, d), rows of norm 1. smallest: rows that make a cluster, 2 and up; a hundredth of all, at
    least 5, where it is not given. Of more rows than it can look at, an even sample makes the clusters.
    """
    n = len(embeddings)
    if n < 4:
        return np.full(n, -1, np.int64)
    mean, axes = principal_axes(embeddings, _AXES)
    rows = np.asarray((embeddings - mean) @ axes, np.float32)
    some = np.linspace(0, n - 1, min(n, _MOST)).round().astype(np.int64)
    smallest = max(5, n // 100) if smallest is None else smallest
    at_least = max(2, min(len(some) // 2, round(smallest * len(some) / n)))
    model = HDBSCAN(
        min_cluster_size=at_least, min_samples=min(_SAMPLES, at_least), cluster_selection_method="leaf", copy=True
    )
    found = model.fit(rows[some].astype(np.float64))
    member = np.asarray(found.labels_, np.int64)
    if len(some) < n:
        member = _joined(rows, rows[some], member)
    return by_size(member)


def by_size(member: Ids) -> Ids:
    """The same clusters, numbered from the largest; what is below 0 stays -1."""
    present, at, sizes = np.unique(member, return_inverse=True, return_counts=True)
    sizes[present < 0] = 0
    rank = np.empty(len(present), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(present))
    rank[present < 0] = -1
    numbered: Ids = rank[at.reshape(-1)]
    return numbered


def _joined(rows: NDArray[np.float32], known: NDArray[np.float32], member: Ids) -> Ids:
    """Each row with its nearest known one, if that is in a cluster and no further than 95 % of its own from others."""
    reach = np.zeros(int(member.max(initial=-1)) + 1)
    for cluster in range(len(reach)):
        own = known[member == cluster]
        reach[cluster] = np.quantile(_nearest(own, own, itself=True)[1], _USUAL)
    near, away = _nearest(rows, known)
    joined = member[near]
    within = joined >= 0
    within[within] = away[within] <= reach[joined[within]]
    return np.where(within, joined, -1)


def _nearest(
    rows: NDArray[np.float32], known: NDArray[np.float32], *, itself: bool = False
) -> tuple[Ids, NDArray[np.float64]]:
    """Place and squared distance of the nearest known row, int64 (n,) and float64 (n,)."""
    places, away = np.empty(len(rows), np.int64), np.empty(len(rows))
    half = 0.5 * np.einsum("kd,kd->k", known, known)
    for at in range(0, len(rows), _BLOCK):
        part = rows[at : at + _BLOCK]
        squared = half - part @ known.T
        if itself:
            squared[np.arange(len(part)), np.arange(at, at + len(part))] = np.inf
        places[at : at + _BLOCK] = squared.argmin(axis=1)
        away[at : at + _BLOCK] = 2.0 * squared.min(axis=1) + np.einsum("nd,nd->n", part, part)
    return places, away
