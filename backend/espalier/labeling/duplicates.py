"""Duplicates: rows that show the same, exactly or nearly, as groups, and the nearest rows of each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

from ..contract import Embeddings, Ids
from ..similarity.close_pairs import close_pairs
from ..similarity.scenes import spread

NEAR = 0.1
"""Rows are near-duplicates where their squared distance is under this share of the mean over all pairs.

Measured on five sets of pictures: copies that were brightened, cropped by a twentieth, or saved again as JPEG lie at
0.01 to 0.1 (of tiny pictures, further away); different photographs of one kind of thing lie beyond 0.18. Pictures of
one fixed camera lie at 0.01 to 0.07, and are named, too."""
_EQUAL = 1e-6
_BLOCK = 4096
_EDGES = 1_000_000
"""Pairs that are kept at a time: of pictures of one fixed camera nearly all pairs are close."""


@dataclass(frozen=True)
class Duplicates:
    """exact and near: groups of row numbers, int64, largest first. A near group holds no two rows that are exact.

    Of rows that are exactly equal, the first stands for all of them in a near group.
    """

    exact: tuple[Ids, ...]
    near: tuple[Ids, ...]

    def kept(self, rows: int) -> NDArray[np.bool_]:
        """One row of each group and all rows that are in none, bool (rows,): the first ones."""
        kept = np.ones(rows, np.bool_)
        for group in (*self.near, *self.exact):
            kept[group[1:]] = False
        return kept


def duplicates(
    embeddings: Embeddings,
    *,
    digests: Sequence[str] | None = None,
    media: NDArray[np.str_] | None = None,
    near: float = NEAR,
) -> Duplicates:
    """embeddings float32 (n, d) of norm 1. Equal digests (of media and frame) are exact, as are equal embeddings.

    media str (n,): rows of one media are no duplicates of each other, for frames of a video always are. Compares all
    pairs in blocks: memory grows with n, time with its square (100,000 rows x 512 in minutes).
    """
    n = len(embeddings)
    same = np.arange(n, dtype=np.int64)
    if digests is not None:
        same = np.unique(np.asarray(digests, np.str_), return_inverse=True)[1].reshape(-1).astype(np.int64)
    of_media = np.arange(n) if media is None else np.unique(media, return_inverse=True)[1].reshape(-1)
    # As connected parts: two copies of a copy are copies of each other.
    exact = _parts(n, _pairs(embeddings, of_media, _EQUAL), same)
    first = np.unique(exact, return_index=True)[1]
    radius = near * spread(embeddings)
    nearly = _parts(len(first), _pairs(embeddings[first], of_media[first], radius), np.arange(len(first)))
    return Duplicates(_groups(exact, np.arange(n), of_media), _groups(nearly, first, of_media))


def neighbours(
    embeddings: Embeddings, k: int = 10, *, among: NDArray[np.bool_] | None = None
) -> tuple[Ids, NDArray[np.float32]]:
    """The k nearest other rows of each row by cosine, best first; with `among`, bool (n,), only those are found.

    Returns int64 (n, k) and float32 (n, k) in [-1, 1]; where there are fewer, the tail is -1 and -1. Ties go to the
    lower row.
    """
    n = len(embeddings)
    rows = np.arange(n) if among is None else np.flatnonzero(among)
    ids, scores = np.full((n, k), -1, np.int64), np.full((n, k), -1.0, np.float32)
    place = np.full(n, -1, np.int64)
    place[rows] = np.arange(len(rows))
    for start in range(0, n, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, n))
        alike = np.clip(embeddings[block] @ embeddings[rows].T, -1.0, 1.0)
        itself = place[block] >= 0
        alike[itself, place[block][itself]] = -np.inf
        best = np.argsort(-alike, axis=1, kind="stable")[:, :k] if len(rows) <= 4 * k else _best(alike, k)
        found = np.take_along_axis(alike, best, axis=1)
        there = np.isfinite(found)
        ids[block, : best.shape[1]] = np.where(there, rows[best], -1)
        scores[block, : best.shape[1]] = np.where(there, found, -1.0)
    return ids, scores


def _best(alike: NDArray[np.float32], k: int) -> Ids:
    some = np.sort(np.argpartition(-alike, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(alike, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _pairs(embeddings: Embeddings, of_media: Ids, radius: float) -> Iterator[tuple[Ids, Ids]]:
    """Rows of different media within a squared distance, piece by piece."""
    for i, j, _ in close_pairs(embeddings, lambda: 1.0 - 0.5 * radius - 1e-6):
        kept = of_media[i] != of_media[j]
        i, j = i[kept], j[kept]
        # Near 1 the product is rounded; the difference is not.
        apart = embeddings[i] - embeddings[j]
        close = np.einsum("nd,nd->n", apart, apart) <= radius
        yield i[close], j[close]


def _parts(n: int, pairs: Iterator[tuple[Ids, Ids]], same: Ids) -> Ids:
    """The connected part of each row, int64 (n,), joined by pairs and by equal numbers in `same`."""
    _, first, number = np.unique(same, return_index=True, return_inverse=True)
    part = first[number.reshape(-1)].astype(np.int64)
    kept: list[tuple[Ids, Ids]] = [(np.arange(n, dtype=np.int64), part)]
    edges = 0
    for pair in pairs:
        kept.append(pair)
        edges += len(pair[0])
        if edges > _EDGES:
            part = _joined(n, kept)
            kept, edges = [(np.arange(n, dtype=np.int64), part)], 0
    return _joined(n, kept)


def _joined(n: int, edges: Sequence[tuple[Ids, Ids]]) -> Ids:
    i, j = (np.concatenate(side) for side in zip(*edges, strict=True))
    joined: Ids = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)[1]
    return joined.astype(np.int64)


def _groups(part: Ids, rows: Ids, of_media: Ids) -> tuple[Ids, ...]:
    """Parts of more than one row, largest first."""
    order = np.argsort(part, kind="stable")
    cuts = np.flatnonzero(np.diff(part[order])) + 1
    found = [rows[group].astype(np.int64) for group in np.split(order, cuts) if len(group) > 1]
    return tuple(sorted(found, key=lambda group: (-len(group), int(group[0]))))
