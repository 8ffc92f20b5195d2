"""Metrics: how good a classifier is on rows that it has not seen, as plain numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Mask, Scores, Targets

Metrics = dict[str, float]
_BINS = 15


def measure(scores: Scores, answers: NDArray[np.bool_], targets: Targets, mask: Mask, *, exclusive: bool) -> Metrics:
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
    per_option = _counts(answers, holds)
    right, given, support = (float(part.sum()) for part in per_option)
    with_support = per_option[2] > 0
    f1 = _f1(*per_option)
    wrong = (answers != holds) & mask
    if exclusive:
        accuracy = float(holds[np.arange(len(scores)), scores.argmax(axis=1)].mean())
    else:
        accuracy = float(((scores >= 0.5) == holds)[mask].mean())
    return {
        "rows": float(len(scores)),
        "accuracy": accuracy,
        "exact": float((~wrong.any(axis=1)).mean()),
        "coverage": float(answers.any(axis=1).mean()),
        "precision": right / given if given else 0.0,
        "recall": right / support if support else 0.0,
        "f1": 2 * right / (given + support) if given + support else 0.0,
        "macro_f1": float(f1[with_support].mean()) if with_support.any() else 0.0,
        "ece": calibration_error(scores, targets, mask, exclusive=exclusive),
        "log_loss": log_loss(scores, targets, mask, exclusive=exclusive),
    }


def per_option(answers: NDArray[np.bool_], targets: Targets, mask: Mask) -> list[Metrics]:
    """precision, recall, f1 and support of each option in turn; 0 where undefined."""
    holds = mask & (targets > 0.5)
    right, given, support = _counts(answers & mask, holds)
    f1 = _f1(right, given, support)
    return [
        {
            "precision": float(right[i] / given[i]) if given[i] else 0.0,
            "recall": float(right[i] / support[i]) if support[i] else 0.0,
            "f1": float(f1[i]),
            "support": float(support[i]),
        }
        for i in range(len(f1))
    ]


def calibration_error(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> float:
    """Expected calibration error in [0, 1]: of the best option's score where exclusive, else of every said cell."""
    if exclusive:
        rows = mask.any(axis=1)
        best = scores[rows].argmax(axis=1)
        at = np.arange(len(best))
        confidence, right = scores[rows][at, best], targets[rows][at, best] > 0.5
    else:
        confidence, right = scores[mask], targets[mask] > 0.5
    if not len(confidence):
        return 0.0
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=right.astype(np.float64) - confidence, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def log_loss(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> float:
    """Mean negative logarithm of the probability given to what was said."""
    p = np.clip(scores.astype(np.float64), 1e-7, 1 - 1e-7)
    holds = mask & (targets > 0.5)
    if exclusive:
        return float(-np.log(p[holds]).mean()) if holds.any() else 0.0
    losses = np.where(holds, -np.log(p), -np.log1p(-p))[mask]
    return float(losses.mean()) if len(losses) else 0.0


def _counts(
    answers: NDArray[np.bool_], holds: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return (
        (answers & holds).sum(axis=0).astype(np.float64),
        answers.sum(axis=0).astype(np.float64),
        holds.sum(axis=0).astype(np.float64),
    )


def _f1(right: NDArray[np.float64], given: NDArray[np.float64], support: NDArray[np.float64]) -> NDArray[np.float64]:
    total = given + support
    return np.where(total > 0, 2 * right / np.where(total > 0, total, 1.0), 0.0)
