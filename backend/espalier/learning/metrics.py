"""Metrics: how good a classifier is on rows that it has not seen, as plain numbers.

Where exactly one option holds, scores may leave something to "none of these" (they sum to less than 1, as where a
frame may show the background alone): what they leave is then a score like any other, and right where nothing holds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Mask, Scores, Targets

Metrics = dict[str, float]
Bits = NDArray[np.bool_]
Numbers = NDArray[np.float64]
BINS = 15
"""Of equal width, for the calibration error and reliability curves."""
_LEAST = float(np.finfo(np.float32).eps)
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken, as scikit-learn does with float32."""
_SUM = 1e-3
"""How far from 1 the scores of exclusive options may sum before the rest means something; see the contract."""


def measure(scores: Scores, answers: Bits, targets: Targets, mask: Mask, *, exclusive: bool) -> Metrics:
    """Over rows where something was said; every value is finite.

    accuracy: of the highest score (exclusive), or of yes and no per option. exact: rows with every said option right.
    coverage: rows that got any answer. precision, recall, f1: over all answers (micro); macro_f1: mean over options
    with support. ece, log_loss: of the scores as probabilities.
    """
    rows = mask.any(axis=1)
    scores, answers, targets, mask = scores[rows], answers[rows] & mask[rows], targets[rows], mask[rows]
    holds = mask & (targets > 0.5)
    if not len(scores):
        return {"rows": 0.0}
    counted = counts(answers, holds)
    right, given, support = (float(part.sum()) for part in counted)
    with_support = counted[2] > 0
    f1 = f1_of(*counted)
    wrong = (answers != holds) & mask
    return {
        "rows": float(len(scores)),
        "accuracy": float(correct(scores, targets, mask, exclusive=exclusive).mean()),
        "exact": float((~wrong.any(axis=1)).mean()),
        "coverage": float(answers.any(axis=1).mean()),
        "precision": right / given if given else 0.0,
        "recall": right / support if support else 0.0,
        "f1": 2 * right / (given + support) if given + support else 0.0,
        "macro_f1": float(f1[with_support].mean()) if with_support.any() else 0.0,
        "ece": calibration_error(scores, targets, mask, exclusive=exclusive),
        "log_loss": log_loss(scores, targets, mask, exclusive=exclusive),
    }


def per_option(answers: Bits, targets: Targets, mask: Mask) -> list[Metrics]:
    """precision, recall, f1 and support of each option in turn; 0 where undefined."""
    holds = mask & (targets > 0.5)
    right, given, support = counts(answers & mask, holds)
    f1 = f1_of(right, given, support)
    return [
        {
            "precision": float(right[i] / given[i]) if given[i] else 0.0,
            "recall": float(right[i] / support[i]) if support[i] else 0.0,
            "f1": float(f1[i]),
            "support": float(support[i]),
        }
        for i in range(len(f1))
    ]


def completed(scores: Scores, targets: Targets, mask: Mask) -> tuple[Numbers, Bits]:
    """Exclusive scores of the said rows, float64, and what holds; with a last column for "none" where they leave any.

    (r, k) or (r, k + 1), where r rows have something unmasked.
    """
    rows = mask.any(axis=1)
    p, holds = scores[rows].astype(np.float64), (mask & (targets > 0.5))[rows]
    rest = np.clip(1.0 - p.sum(axis=1), 0.0, 1.0)
    if not (rest > _SUM).any():
        return p, holds
    return np.c_[p, rest], np.c_[holds, ~holds.any(axis=1)]


def sureness(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> tuple[Numbers, Bits]:
    """Probabilities and whether they came true: of each row's best option (exclusive), else of every said cell."""
    if not exclusive:
        return scores[mask].astype(np.float64), targets[mask] > 0.5
    p, holds = completed(scores, targets, mask)
    best, at = p.argmax(axis=1) if p.size else np.zeros(0, np.int64), np.arange(len(p))
    return p[at, best], holds[at, best]


def correct(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> Bits:
    """What `accuracy` is the mean of: per said row whether its best option holds, or per said cell yes and no."""
    p, holds = sureness(scores, targets, mask, exclusive=exclusive)
    return holds if exclusive else (p >= 0.5) == holds


def confidence(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> float | None:
    """The mean probability of what would be said without cutoffs; calibrated scores make it equal to `accuracy`."""
    p, _ = sureness(scores, targets, mask, exclusive=exclusive)
    if not len(p):
        return None
    return float(p.mean() if exclusive else np.maximum(p, 1.0 - p).mean())


def top_k(scores: Scores, targets: Targets, mask: Mask, k: int) -> float | None:
    """Exclusive: the share of rows that have what holds among the k highest scores (ties go to the earlier option).

    None where there are not more than k to choose from.
    """
    p, holds = completed(scores, targets, mask)
    if not len(p) or p.shape[1] <= k:
        return None
    best = np.argsort(-p, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(holds, best, axis=1).any(axis=1).mean())


def brier(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> float | None:
    """Mean squared error of the probabilities: of a row's options together, in [0, 2] (exclusive), or per said cell."""
    if exclusive:
        p, holds = completed(scores, targets, mask)
        return float(((p - holds) ** 2).sum(axis=1).mean()) if len(p) else None
    p, said = scores[mask].astype(np.float64), targets[mask] > 0.5
    return float(((p - said) ** 2).mean()) if len(p) else None


def calibration_error(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> float:
    """Expected calibration error in [0, 1]: of the best option's score where exclusive, else of every said cell."""
    p, right = sureness(scores, targets, mask, exclusive=exclusive)
    if not len(p):
        return 0.0
    gaps = np.bincount(bins_of(p), weights=right - p, minlength=BINS)
    return float(np.abs(gaps).sum() / len(p))


def bins_of(probabilities: Numbers) -> NDArray[np.int64]:
    return np.clip((probabilities * BINS).astype(np.int64), 0, BINS - 1)


def log_loss(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> float:
    """Mean negative logarithm of the probability given to what was said (cross-entropy)."""
    if exclusive:
        p, holds = completed(scores, targets, mask)
        said = p[holds]
    else:
        p, holds = scores[mask].astype(np.float64), targets[mask] > 0.5
        said = np.where(holds, p, 1.0 - p)
    return float(-np.log(np.clip(said, _LEAST, 1.0 - _LEAST)).mean()) if len(said) else 0.0


def counts(answers: Bits, holds: Bits) -> tuple[Numbers, Numbers, Numbers]:
    """By option: right answers, answers, and rows that hold it."""
    return (
        (answers & holds).sum(axis=0).astype(np.float64),
        answers.sum(axis=0).astype(np.float64),
        holds.sum(axis=0).astype(np.float64),
    )


def f1_of(right: Numbers, given: Numbers, support: Numbers) -> Numbers:
    """2 right / (given + support), elementwise; 0 where that is 0 / 0."""
    total = given + support
    return np.where(total > 0, 2 * right / np.where(total > 0, total, 1.0), 0.0)
