"""What a label is worth: how unsure a model is of a row, how rare what it may show, how much opinions differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Embeddings, Ids, Mask, Scores, Targets
from ..learning.training_parameters import MIN_IMAGES

_BLOCK = 4096
_FLOOR = 1e-3


@dataclass(frozen=True)
class Asked:
    """What is known of one question about all rows.

    scores float32 (n, k) in [0, 1], by the model that serves. likely float32 (n,) in [0, 1]: how probable it is that
    the question is asked of a row at all (its parent holds); None where it always is. counts int64 (k,): labels so
    far. others: further opinions, each float32 (n, k): nearest neighbours, an earlier version, other annotators.
    """

    classification: str
    parent: Path
    options: tuple[Path, ...]
    exclusive: bool
    scores: Scores
    counts: Ids
    likely: NDArray[np.float32] | None = None
    others: tuple[Scores, ...] = ()


@dataclass(frozen=True)
class Worth:
    """total float64 (n,), 0 and up, and its parts by question, each float64 (q, n)."""

    total: NDArray[np.float64]
    doubt: NDArray[np.float64]
    rarity: NDArray[np.float64]
    dispute: NDArray[np.float64]


def worth(asked: Sequence[Asked], rows: int) -> Worth:
    """Of each row: over its questions, doubt plus dispute, more where a rare option may be shown. 1 without questions.

    doubt: 1 less the margin between the two likeliest options, or of options that do not exclude each other the root
    mean square of how near each is to a half. dispute: how far apart the opinions are, as total variation.
    rarity: how likely options with under 15 labels are, by how much they lack.
    """
    if not asked:
        nothing = np.zeros((0, rows))
        return Worth(np.ones(rows), nothing, nothing, nothing)
    likely = np.stack([np.ones(rows) if one.likely is None else one.likely.astype(np.float64) for one in asked])
    doubt = likely * np.stack([_doubt(one) for one in asked])
    rarity = likely * np.stack([_rarity(one) for one in asked])
    dispute = likely * np.stack([_dispute(one) for one in asked])
    total = ((np.maximum(doubt, _FLOOR) + dispute) * (1.0 + rarity)).sum(axis=0)
    return Worth(total, doubt, rarity, dispute)


def neighbour_scores(
    embeddings: Embeddings, targets: Targets, mask: Mask, known: Ids, *, nearest: int = 5
) -> NDArray[np.float32]:
    """A second opinion, float32 (n, k): the share of each option among the nearest labeled rows.

    embeddings float32 (n, d) of norm 1; targets and mask (m, k) are those of the rows numbered `known`, int64 (m,).
    A row is not its own neighbour. 0.5 where nothing is said of an option.
    """
    n, k = len(embeddings), targets.shape[1]
    found = np.full((n, k), 0.5, np.float32)
    count = min(nearest, len(known) - 1)
    if count < 1:
        return found
    own = np.full(n, -1, np.int64)
    own[known] = np.arange(len(known))
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        alike = embeddings[rows] @ embeddings[known].T
        itself = own[rows] >= 0
        alike[itself, own[rows][itself]] = -np.inf
        near = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        said = mask[near].sum(axis=1)
        yes = np.where(mask[near], targets[near], 0.0).sum(axis=1)
        found[rows] = np.where(said > 0, yes / np.maximum(said, 1), 0.5)
    return found


def _doubt(asked: Asked) -> NDArray[np.float64]:
    scores = _with_none(asked.scores, asked.exclusive)
    if not asked.exclusive:
        near_half = 1.0 - np.abs(2.0 * scores - 1.0)
        return np.asarray(np.sqrt((near_half**2).mean(axis=1))) if scores.shape[1] else np.zeros(len(scores))
    if scores.shape[1] < 2:
        return np.zeros(len(scores))
    best = np.partition(scores, -2, axis=1)
    return np.asarray(1.0 - (best[:, -1] - best[:, -2]))


def _rarity(asked: Asked) -> NDArray[np.float64]:
    lacking = np.maximum(0.0, 1.0 - asked.counts / MIN_IMAGES)
    return np.asarray(asked.scores.astype(np.float64) @ lacking)


def _dispute(asked: Asked) -> NDArray[np.float64]:
    apart = np.zeros(len(asked.scores))
    for other in asked.others:
        difference = np.abs(asked.scores.astype(np.float64) - other)
        apart = np.maximum(
            apart, 0.5 * difference.sum(axis=1) if asked.exclusive else difference.max(axis=1, initial=0)
        )
    return np.minimum(apart, 1.0)


def _with_none(scores: Scores, exclusive: bool) -> NDArray[np.float64]:
    """Exclusive scores that sum to less than 1 leave the rest to none of the options."""
    exact = scores.astype(np.float64)
    rest = 1.0 - exact.sum(axis=1)
    return np.column_stack((exact, rest)) if exclusive and (rest > 1e-2).any() else exact
