"""Cutoffs: the confidence under which an option is not answered, chosen on scores of unseen rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids, Mask, Scores, Targets

Cutoffs = NDArray[np.float64]
"""One per option, float64 (k,), within [0, 1]."""

_TRUST = 5.0
"""How many positive rows weigh as much as the starting value, which is where few rows leave a cutoff."""


def starting_cutoff(options: int, *, exclusive: bool) -> float:
    """Where nothing is known: a half; among exclusive options, barely better than guessing."""
    return min(0.5, 1.0 / max(1, options)) if exclusive else 0.5


def answered(scores: Scores | NDArray[np.float64], cutoffs: Cutoffs, *, exclusive: bool) -> NDArray[np.bool_]:
    """Which options are answered, bool (n, k): at or above their cutoff; with exclusive, the best one alone, and no
    option where none scores anything."""
    above = scores >= cutoffs
    return np.asarray(above & highest(scores) & (scores > 0) if exclusive else above)


def best_f1(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> Cutoffs:
    """The cutoff of each option with the best F1, drawn towards the start where positives are few."""
    k = scores.shape[1]
    start = starting_cutoff(k, exclusive=exclusive)
    cutoffs = np.full(k, start)
    for option, (score, hit, positives) in enumerate(_candidates(scores, targets, mask, exclusive)):
        if len(score) == 0 or positives == 0 or not hit.any():
            continue
        f1 = 2.0 * np.cumsum(hit) / (np.arange(1, len(score) + 1) + positives)
        f1[:-1][score[:-1] == score[1:]] = -1.0  # a cutoff cannot part equal scores
        best = int(f1.argmax())
        under = float(score[best + 1]) if best + 1 < len(score) else min(start, float(score[best]))
        found = (float(score[best]) + under) / 2.0
        cutoffs[option] = (positives * found + _TRUST * start) / (positives + _TRUST)
    return np.clip(cutoffs, 0.0, 1.0)


def cross_answered(scores: Scores, targets: Targets, mask: Mask, folds: Ids, *, exclusive: bool) -> NDArray[np.bool_]:
    """Which options are answered, each fold by the cutoffs that the others chose."""
    result = np.zeros(scores.shape, np.bool_)
    for fold in np.unique(folds):
        inside = folds == fold
        outside = ~inside
        chosen = best_f1(scores[outside], targets[outside], mask[outside], exclusive=exclusive)
        result[inside] = answered(scores[inside], chosen, exclusive=exclusive)
    return result


def highest(scores: Scores | NDArray[np.float64]) -> NDArray[np.bool_]:
    """The highest score of each row alone, bool (n, k)."""
    found = np.zeros(scores.shape, np.bool_)
    found[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return found


def _candidates(
    scores: Scores, targets: Targets, mask: Mask, exclusive: bool
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_], int]]:
    """Per option: the scores that could be answered, highest first; whether each is right; how many rows hold it."""
    could = mask & highest(scores) if exclusive else mask
    holds = mask & (targets > 0.5)
    found = []
    for option in range(scores.shape[1]):
        rows = np.flatnonzero(could[:, option])
        rows = rows[np.argsort(-scores[rows, option], kind="stable")]
        found.append((scores[rows, option].astype(np.float64), holds[rows, option], int(holds[:, option].sum())))
    return found
