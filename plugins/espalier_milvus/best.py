"""The best hits out of several answers, and exact search over vectors that come page by page."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from espalier.contract import Embeddings, Ids, Scores

Found = tuple[Ids, Scores]


def nothing(queries: int, k: int) -> Found:
    """Empty places: id -1, score -1."""
    return np.full((queries, k), -1, np.int64), np.full((queries, k), -1, np.float32)


def merged(found: Iterable[Found], queries: int, k: int) -> Found:
    """The k best of all answers int64 and float32 (queries, any), best first, ties by id; no id is in two of them."""
    ids, scores = (np.concatenate(part, axis=1) for part in zip(nothing(queries, k), *found, strict=True))
    # An empty place comes after a hit that lies opposite to the query, whose score is -1 as well.
    order = np.lexsort((ids, -scores, ids < 0), axis=1)[:, :k]
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)


def nearest(pages: Iterable[tuple[Ids, Embeddings]], queries: Embeddings, k: int) -> Found:
    """Exact: every vector of every page against every query."""
    best = nothing(len(queries), k)
    for ids, rows in pages:
        cosines = np.clip(queries @ rows.T, -1, 1).astype(np.float32)
        best = merged([best, (np.broadcast_to(ids, cosines.shape), cosines)], len(queries), k)
    return best
