"""What to label next: the rows from which most is learned, best first, each with a reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids
from ..learning.training_parameters import MIN_IMAGES
from .clustering import clusters
from .herding import herd
from .label_worth import Asked, Worth, worth

_CLUSTERS = 50


@dataclass(frozen=True)
class NextBatch:
    """order int64 (m,): all rows that are not labeled, best first; the first of them were chosen as a batch.

    score float32 (n,) in [0, 1] by row: its place in the order, low is to be labeled first, 1 where it is labeled.
    cluster int64 (n,): rows alike share one, the largest is 0. reasons: why, for each of the batch.
    """

    order: Ids
    score: NDArray[np.float32]
    cluster: Ids
    reasons: tuple[str, ...]


def next_batch(
    embeddings: Embeddings,
    labeled: NDArray[np.bool_],
    asked: Sequence[Asked] = (),
    *,
    count: int = 10,
    groups: Ids | None = None,
    seed: int = 0,
) -> NextBatch:
    """Chooses `count` rows to label next.

    embeddings float32 (n, d) of norm 1, of which some are labeled, bool (n,). asked: what a model says of all rows;
    without one, rows are chosen that are typical of many and unlike those chosen before. groups int64 (n,): a batch
    has one row of each (of one media, of near-duplicates), while there are others. Equal input gives an equal batch.
    """
    n = len(embeddings)
    groups = np.arange(n, dtype=np.int64) if groups is None else groups
    value = worth(asked, n)
    batch, covers = herd(embeddings, labeled, value.total, groups, count=count, seed=seed)
    later = ~labeled
    later[batch] = False
    rest = np.flatnonzero(later)
    order = np.concatenate((batch, rest[np.argsort(-value.total[rest], kind="stable")]))
    score = np.ones(n, np.float32)
    score[order] = np.arange(len(order)) / max(1, len(order))
    member = clusters(embeddings, min(_CLUSTERS, max(1, round(float(np.sqrt(n / 2))))), seed=seed)
    told = tuple(_reason(row, cover, value, asked) for row, cover in zip(batch.tolist(), covers.tolist(), strict=True))
    return NextBatch(order, score, member, told)


def _reason(row: int, covers: float, value: Worth, asked: Sequence[Asked]) -> str:
    """What speaks most for a row."""
    like = f"stands for {100 * covers:.1f} % of what is not known yet"
    if not asked:
        return f"typical: {like}"
    rare = int(value.rarity[:, row].argmax())
    if value.rarity[rare, row] >= 0.25:
        one = asked[rare]
        option = int((one.scores[row] * np.maximum(0, MIN_IMAGES - one.counts)).argmax())
        return f"may show {' / '.join(one.options[option])!r}, which has {one.counts[option]} labels; {like}"
    split = int(value.dispute[:, row].argmax())
    if value.dispute[split, row] > max(0.5, float(value.doubt[:, row].max())):
        return f"opinions differ on {asked[split].classification!r}; {like}"
    one = asked[int(value.doubt[:, row].argmax())]
    best = np.argsort(-one.scores[row], kind="stable")[:2]
    if one.exclusive:
        said = " or ".join(f"{one.options[i][-1]!r} ({one.scores[row, i]:.2f})" for i in best)
    else:
        near = int(np.abs(one.scores[row] - 0.5).argmin())
        said = f"{one.options[near][-1]!r} ({one.scores[row, near]:.2f}) or not"
    return f"unsure of {one.classification!r}: {said}; {like}"
