"""Label noise: how often one option is said where another holds, found together with how far scores can be trusted.

Labels are taken to be drawn from the true option by fixed odds (class-conditional noise: Angluin & Laird 1988), and
the true option from the classifier's scores, sharpened or softened by one exponent. Both are fitted by expectation and
maximisation (Dawid & Skene 1979). Confident learning (Northcutt, Jiang & Chuang 2021) counts the same odds from
scores above each class's mean; where classes are hard to tell apart it takes the classifier's doubt for wrong labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]

from ..contract import Ids

Probabilities = NDArray[np.float64]

_FLOOR = 1e-6
_START = 0.05
"""Share of wrong labels to begin with."""
_TRUST = 20.0
"""Rows of an option that count as much as the odds of all options together.

With 5, noise between two like classes is found best, with 100, noise that is spread evenly; from 10 to 50 both are
within 0.03 of their best F1."""
_SLOPE_SPREAD = 1.0
"""How far, as a standard deviation of its logarithm, the exponent may be from 1 before rows are heard."""
_ROUNDS, _PATIENCE = 60, 1e-5
_ENOUGH = 20_000
"""Rows from which the odds are fitted; more make them no better."""


@dataclass(frozen=True)
class LabelNoise:
    """slope: the exponent of scores. odds float64 (k, k): by true option, how likely each label is; rows sum to 1."""

    slope: float
    odds: Probabilities

    @classmethod
    def of(cls, scores: Probabilities, labels: Ids, *, seed: int = 0) -> LabelNoise:
        """The most probable, given scores (n, k) of rows by classifiers that had not seen them, and labels (n,)."""
        k = scores.shape[1]
        if len(labels) > _ENOUGH:
            some = np.random.default_rng(seed).choice(len(labels), _ENOUGH, replace=False)
            scores, labels = scores[some], labels[some]
        logs, said = _logs(scores), np.eye(k)[labels]
        odds, slope = _even(k, _START), 1.5
        for round_ in range(_ROUNDS):
            if round_ % 3 == 0:
                slope = _best_slope(logs, odds[:, labels].T)
            share, _ = _posterior(_powered(logs, slope), odds[:, labels].T)
            counts = share.T @ said  # true option, label
            wrong = max(_FLOOR, 1.0 - float(np.trace(counts)) / max(1, len(labels)))
            before, odds = odds, counts + _TRUST * _even(k, wrong)
            odds = odds / odds.sum(axis=1, keepdims=True)
            if round_ % 3 and np.abs(odds - before).max() < _PATIENCE:
                break
        return cls(slope, odds)

    def true_options(self, scores: Probabilities, labels: Ids) -> Probabilities:
        """How likely each option is to hold, float64 (n, k), rows sum to 1, given the scores and what was said."""
        return _posterior(_powered(_logs(scores), self.slope), self.odds[:, labels].T)[0]


def most_likely_wrong(wrong: Probabilities) -> NDArray[np.bool_]:
    """Which of (n,) probabilities of being wrong to name, so that the expected F1 of those named is highest."""
    order = np.argsort(-wrong, kind="stable")
    expected = 2.0 * np.cumsum(wrong[order]) / (np.arange(1, len(wrong) + 1) + max(float(wrong.sum()), 1e-12))
    named = np.zeros(len(wrong), np.bool_)
    if len(wrong) and wrong.sum() >= 0.5:  # less than half a wrong label in all is none
        named[order[: int(expected.argmax()) + 1]] = True
    return named


def _best_slope(logs: Probabilities, likely: Probabilities) -> float:
    def loss(log_slope: float) -> float:
        _, fit = _posterior(_powered(logs, float(np.exp(log_slope))), likely)
        return float(-np.log(fit).sum()) + 0.5 * (log_slope / _SLOPE_SPREAD) ** 2

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 3.0), method="bounded", options={"xatol": 3e-3}).x))


def _posterior(true: Probabilities, likely: Probabilities) -> tuple[Probabilities, Probabilities]:
    """Shares (n, k) of the true options, and how likely (n,) what was said is.

    likely (n, k): how likely what was said would be, given each true option.
    """
    joint = true * likely
    total = np.maximum(joint.sum(axis=1), 1e-300)
    return joint / total[:, None], total


def _even(options: int, wrong: float) -> Probabilities:
    odds = np.full((options, options), wrong / max(1, options - 1))
    np.fill_diagonal(odds, 1.0 - wrong)
    return odds


def _logs(scores: Probabilities) -> Probabilities:
    return np.asarray(np.log(np.maximum(scores, _FLOOR)), np.float64)


def _powered(logs: Probabilities, slope: float) -> Probabilities:
    powered = np.exp(slope * (logs - logs.max(axis=1, keepdims=True)))
    return np.asarray(powered / powered.sum(axis=1, keepdims=True))
