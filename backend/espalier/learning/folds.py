"""Folds: how rows are dealt out so that a model is judged on media that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids, Mask, Targets

ALIKE = 0.02
"""Two embeddings are near-duplicates where their squared distance is under this share of the mean over all pairs."""
_NEIGHBOURS = 4
_SORTED, _COMPARED = 3, 8
"""Random projections: rows are sorted by the first few, and compared in all of them before they are in full."""
_LOOSE = 26.0
"""Sums of that many squares of normal variables exceed this share of their scale once in a thousand times."""


@dataclass(frozen=True)
class Folds:
    """rows int64 (n,): the fold of each row, in [0, count). note: what could not be kept apart, in words, or empty."""

    rows: Ids
    count: int
    note: str = ""


def deal(targets: Targets, mask: Mask, groups: Ids, *, count: int = 5, seed: int = 0) -> Folds:
    """Deals groups to folds: seeded, and stratified by the rarest option that holds in a group.

    No group is in two folds, with one exception: where an option holds in one group only, or there is only one group,
    that group is cut into consecutive pieces (of each option's rows, in the order given), for otherwise nothing could
    be learned about the option without the rows that it is judged on. The note says so. Fewer rows than folds give
    fewer folds; one row gives one fold.
    """
    n = len(groups)
    if n < 2:
        return Folds(np.zeros(n, np.int64), 1, "a single row cannot be cross-checked")
    holds = mask & (targets > 0.5)
    groups, held_by = _present(groups, holds)
    lonely = (held_by > 0).sum(axis=0) == 1  # options that one group alone shows
    cut: NDArray[np.bool_] = np.ones(1, np.bool_)
    if len(held_by) > 1:
        cut = np.asarray((held_by[:, lonely] > 0).any(axis=1))
    note = ""
    if cut.any():
        split = cut[groups] & (holds.sum(axis=0) > 1)[_stratum(holds)] if len(held_by) > 1 else cut[groups]
        if split.any():
            groups, held_by = _present(_pieces(groups, _stratum(holds), split, count), holds)
            note = (
                "some options were answered in one media only: its frames stand on both sides of the check, "
                "so the measured quality of those options flatters"
            )
    rarest = _stratum(held_by > 0)
    size = np.bincount(groups, minlength=len(held_by))
    order = np.lexsort((np.random.default_rng(seed).random(len(held_by)), -size, rarest))
    count = max(1, min(count, len(held_by)))
    of_group = np.empty(len(held_by), np.int64)
    of_group[order] = np.arange(len(held_by)) % count
    return Folds(of_group[groups], count, note)


def join_duplicates(embeddings: Embeddings, groups: Ids, *, seed: int = 0) -> Ids:
    """The groups int64 (n,), those united that hold near-duplicates of each other's rows.

    Rows are compared with their nearest neighbours in a few random projections: cheap at any n, sure to find equal
    rows, likely to find near ones.
    """
    n = len(embeddings)
    _, joined = np.unique(groups, return_inverse=True)
    joined = joined.astype(np.int64)
    centred = embeddings - embeddings.mean(axis=0)
    spread = 2.0 * float(np.einsum("nd,nd->", centred, centred)) / max(1, n)  # mean squared distance of two rows
    if n < 3 or spread < 1e-9:
        return joined
    rng = np.random.default_rng(seed)
    keys = centred @ rng.standard_normal((embeddings.shape[1], _COMPARED)).astype(np.float32)
    found: list[NDArray[np.int64]] = []
    for key in keys.T[:_SORTED]:
        order = np.argsort(key, kind="stable")
        for offset in range(1, min(_NEIGHBOURS, n - 1) + 1):
            a, b = order[:-offset], order[offset:]
            apart = keys[a] - keys[b]
            close = np.einsum("np,np->n", apart, apart) <= _LOOSE * ALIKE * spread
            near = np.flatnonzero(close & (joined[a] != joined[b]))
            difference = centred[a[near]] - centred[b[near]]
            near = near[np.einsum("nd,nd->n", difference, difference) <= ALIKE * spread]
            found.append(np.stack((joined[a[near]], joined[b[near]])))
    pairs = np.concatenate(found, axis=1)
    root = np.arange(int(joined.max()) + 1)
    while True:  # every group takes the lowest number that it is linked with, until nothing changes
        low = np.minimum(root[pairs[0]], root[pairs[1]])
        before = root.copy()
        np.minimum.at(root, pairs[0], low)
        np.minimum.at(root, pairs[1], low)
        root = root[root]
        if np.array_equal(before, root):
            united: Ids = root[joined]
            return united


def _present(groups: Ids, holds: NDArray[np.bool_]) -> tuple[Ids, NDArray[np.float64]]:
    """Groups numbered from 0, and how many rows of each show each option (g, k)."""
    _, numbered = np.unique(groups, return_inverse=True)
    count = int(numbered.max()) + 1
    held_by = np.stack([np.bincount(numbered, weights=column, minlength=count) for column in holds.T], axis=1)
    return numbered.astype(np.int64), held_by.astype(np.float64)


def _stratum(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row of (n, k), the rarest option that holds; 0 where none does."""
    frequency = np.where(holds, holds.sum(axis=0)[None], np.iinfo(np.int64).max)
    rarest: Ids = frequency.argmin(axis=1).astype(np.int64)
    return rarest


def _pieces(groups: Ids, stratum: Ids, split: NDArray[np.bool_], count: int) -> Ids:
    """Groups in which the rows marked `split` are cut, option by option, into `count` consecutive pieces."""
    key = groups * (int(stratum.max()) + 1) + stratum
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.r_[True, key[order][1:] != key[order][:-1]])
    sizes = np.diff(np.r_[starts, len(key)])
    rank = np.empty(len(key), np.int64)
    rank[order] = np.arange(len(key)) - np.repeat(starts, sizes)
    size = np.empty(len(key), np.int64)
    size[order] = np.repeat(sizes, sizes)
    piece = 1 + key * count + rank * count // size
    return np.where(split, int(groups.max()) + piece, groups)
