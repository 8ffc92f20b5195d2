"""Curve samples: how good classifiers are that learned from parts of what is labeled, on groups unseen by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..contract import Classifier, Embeddings, Ids, Mask, Targets, Weights
from ..learning.folds import deal
from .label_errors import cross_refit

Figure = Literal["macro_f1", "accuracy"]
FEWEST = 20
"""Labels under which no curve is drawn."""
_SHARES = (0.2, 0.3, 0.42, 0.58, 0.78, 1.0)
_FOLDS = 5


@dataclass(frozen=True)
class CurveSamples:
    """sizes float64 (s,): labels (groups) learned from. answers bool (r, s, n, k): by repeat and size.

    holds and said bool (n, k): what is right, and where that is known. groups int64 (n,), from 0.
    """

    sizes: NDArray[np.float64]
    answers: NDArray[np.bool_]
    holds: NDArray[np.bool_]
    said: Mask
    groups: Ids
    exclusive: bool

    def figures(self, figure: Figure, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """float64 (r, s), or (b, r, s) with weights float64 (b, g) of the groups."""
        by_row = np.ones((1, len(self.groups))) if weights is None else weights[:, self.groups]
        found = np.stack([[self._figure(figure, one, by_row) for one in repeat] for repeat in self.answers])
        return np.asarray(found[..., 0] if weights is None else np.moveaxis(found, -1, 0))

    def _figure(self, figure: Figure, answers: NDArray[np.bool_], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        if figure == "accuracy":
            if self.exclusive:
                right, known = (answers == self.holds).all(axis=1) * 1.0, np.ones(len(answers))
            else:
                right, known = ((answers == self.holds) & self.said).sum(axis=1) * 1.0, self.said.sum(axis=1) * 1.0
            return np.asarray((weights @ right) / np.maximum(weights @ known, 1e-9))
        given, held = weights @ (answers & self.said), weights @ (self.holds * 1.0)
        both = weights @ (answers & self.holds)
        f1 = 2.0 * both / np.maximum(given + held, 1e-9)
        shown = held > 0
        return np.asarray((f1 * shown).sum(axis=1) / np.maximum(shown.sum(axis=1), 1))


def curve_samples(
    new: Callable[[], Classifier],
    embeddings: Embeddings,
    targets: Targets,
    mask: Mask,
    groups: Ids,
    *,
    exclusive: bool,
    weights: Weights | None = None,
    repeats: int = 4,
    seed: int = 0,
) -> CurveSamples | str:
    """Learns from shares of the groups, each a part of the next, cross-checked; or says why that cannot be."""
    used = mask.any(axis=1)
    embeddings, targets, mask, groups = embeddings[used], targets[used], mask[used], groups[used]
    weights = None if weights is None else weights[used]
    _, numbered = np.unique(groups, return_inverse=True)
    numbered = numbered.reshape(-1).astype(np.int64)
    count = int(numbered.max(initial=-1)) + 1
    holds = mask & (targets > 0.5)
    if count < FEWEST:
        return f"{count} labels are too few for a curve, at least {FEWEST} are needed"
    shown = [len(np.unique(numbered[column])) for column in holds.T]
    if sum(groups_of > 1 for groups_of in shown) < (2 if exclusive else 1):
        return "at least two options need two labels each" if exclusive else "an option needs two labels"
    answers = np.zeros((repeats, len(_SHARES), *holds.shape), np.bool_)
    for repeat in range(repeats):
        folds = deal(targets, mask, numbered, count=_FOLDS, seed=seed + repeat)
        rank = np.random.default_rng((seed, repeat)).permutation(count)[numbered]
        scored = cross_refit(
            new, embeddings, targets, numbered, folds.rows, exclusive=exclusive, weights=weights, seed=seed
        )
        for at, share in enumerate(_SHARES):
            scores = scored(mask & (rank < max(2, round(share * count)))[:, None])
            answers[repeat, at] = _answered(scores, exclusive)
    sizes = np.array([max(2, round(share * count)) for share in _SHARES]) * (1.0 - 1.0 / _FOLDS)
    return CurveSamples(sizes, answers, holds, mask, numbered, exclusive)


def _answered(scores: NDArray[np.float32], exclusive: bool) -> NDArray[np.bool_]:
    """The likeliest option, which may be none of them; or those that are likelier than not."""
    if not exclusive:
        return np.asarray(scores >= 0.5)
    best = np.eye(scores.shape[1], dtype=np.bool_)[scores.argmax(axis=1)]
    none = 1.0 - scores.sum(axis=1) > scores.max(axis=1)
    return np.asarray(best & ~none[:, None])
