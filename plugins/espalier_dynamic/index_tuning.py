"""How many cells are searched so that the recall asked for is reached: from the index's own rows, by exact search.

Some rows are queries, and are not counted among their own neighbours; so are made-up pictures that lie among others as
one may that is not in the index. The recall is that of the harder half. In which cell each true neighbour lies says for
any number of cells what share of them would be found, without a single search. What was chosen so is then measured on
other rows by the search itself, and raised until it holds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from espalier.contract import Embeddings, Ids, Scores

from .index_cells import Cells, K
from .index_exact import nearest

REACHES = (20, 100, 400)
"""How many neighbours are asked for. More lie further, so that more cells are needed."""
MARGIN, LEFT = 0.5, 0.25
"""Of the share that may be missed, so much is left at first for the bits and for chance, then for chance alone: what
people ask for is often a little harder to find than the neighbours of what is there."""
REFINE = (3, 6, 12)
SAME = 1e-6
"""Cosines that differ by less are the same: sums in another order."""


@dataclass(frozen=True)
class Tuned:
    """probes: for each reach, how many cells; refine: candidates compared in full for each one wanted; the recall."""

    probes: tuple[tuple[int, int], ...]
    refine: int
    recall: float

    def probes_for(self, k: float) -> int:
        """Beyond the furthest reach the number of cells grows as k does."""
        for reach, probes in self.probes:
            if k <= reach:
                return probes
        last, probes = self.probes[-1]
        return int(np.ceil(probes * k / last))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, held: dict[str, Any]) -> Tuned:
        probes = tuple((int(reach), int(count)) for reach, count in held["probes"])
        return cls(probes, int(held["refine"]), float(held["recall"]))


def tune(cells: Cells, rows: Embeddings, *, recall: float, judged: int) -> Tuned | None:
    """None where no number of cells reaches the recall: then search is better exact."""
    chosen = np.random.default_rng(2).permutation(len(rows))[: min(judged, len(rows))]
    half = len(chosen) // 2
    if half < 1:
        return None
    aim = recall + MARGIN * (1 - recall)
    ranks = [_ranks(cells, asked) for asked in _questions(rows, np.sort(chosen[:half]), REACHES[-1])]
    probes = {reach: max(_enough(some[:, :reach], aim) for some in ranks) for reach in REACHES}
    judged_by = _questions(rows, np.sort(chosen[half:]), REACHES[-1])
    for refine in REFINE:
        tuned = Tuned(tuple(probes.items()), refine, 0.0)
        while True:
            found = min(_measured(cells, rows, asked, tuned) for asked in judged_by)
            if found >= recall + LEFT * (1 - recall):
                return Tuned(tuned.probes, refine, found)
            if tuned.probes[0][1] >= cells.count:
                break
            more = tuple((reach, min(cells.count, count + max(1, count // 4))) for reach, count in tuned.probes)
            tuned = Tuned(more, refine, 0.0)
    return None


@dataclass(frozen=True)
class Questions:
    """queries float32 (m, dim), what each must not find int64 (m,), and its true neighbours int64, float32 (m, n)."""

    queries: Embeddings
    itself: Ids
    true: Ids
    scores: Scores


def _questions(rows: Embeddings, chosen: Ids, k: int) -> tuple[Questions, Questions]:
    """Rows themselves; and for each a picture that is not in the index, but might be.

    That one lies about the middle of what is near the row, as far away and in such directions as what is near differs
    from each other: two of them drawn apart, over the square root of two.
    """
    own = _ask(rows, rows[chosen], chosen, k)
    rng, near = np.random.default_rng(3), own.true.shape[1]
    unseen = np.empty_like(own.queries)
    for at, around in enumerate(own.true):
        these = rows[around]
        one, other = these[rng.choice(near, 2)]
        unseen[at] = these.mean(axis=0) + (one - other) / np.sqrt(2)
    unseen /= np.maximum(np.linalg.norm(unseen, axis=1, keepdims=True), 1e-12)
    return own, _ask(rows, unseen, np.full_like(chosen, -1), k)


def _ask(rows: Embeddings, queries: Embeddings, itself: Ids, k: int) -> Questions:
    found, scores = nearest(queries, rows, k + 1)
    out = found == itself[:, None]
    out[~out.any(axis=1), -1] = True  # not among them, or hidden behind others that are the same
    shape = (len(queries), found.shape[1] - 1)
    return Questions(queries, itself, found[~out].reshape(shape), scores[~out].reshape(shape))


def _ranks(cells: Cells, asked: Questions) -> Ids:
    """int64 (m, n): before how many cells each true neighbour's own is searched, nearest neighbour first."""
    order = cells.ivf.quantizer.search(asked.queries, cells.count)[1]
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(cells.count)[None, :], axis=1)
    ranks: Ids = np.take_along_axis(rank, cells.of_rows[asked.true].astype(np.int64), axis=1)
    return ranks


def _enough(ranks: Ids, share: float) -> int:
    """The fewest cells in which this share of the neighbours lies."""
    ordered = np.sort(ranks, axis=None)
    return int(ordered[min(len(ordered) - 1, int(np.ceil(share * len(ordered))))]) + 1


def _measured(cells: Cells, rows: Embeddings, asked: Questions, tuned: Tuned) -> float:
    """The share of the K nearest that the search itself finds."""
    found, scores = cells.nearest(asked.queries, rows, K + 1, probes=tuned.probes_for(K), refine=tuned.refine)
    wanted = min(K, asked.true.shape[1])
    least = asked.scores[:, wanted - 1 : wanted]
    hits = ((scores >= least - SAME) & (found >= 0) & (found != asked.itself[:, None])).sum(axis=1)
    return float(np.minimum(hits, wanted).mean() / wanted)
