"""Curves of one option against the rest: precision and recall, ROC, reliability, and the areas under them.

Own code, where scikit-learn has the same: an option is sorted once for all of them, which is what makes it possible to
draw every curve of every option at each retraining. The tests hold it against scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..learning.metrics import BINS, Bits, Numbers, bins_of

POINTS = 200
"""The most that a curve is drawn with."""


@dataclass(frozen=True)
class Ranked:
    """What is answered at each cutoff, float64 (t,) each: distinct scores falling, right and wrong answers so far."""

    cutoffs: Numbers
    right: Numbers
    wrong: Numbers

    @classmethod
    def of(cls, scores: NDArray[np.floating], holds: Bits) -> Ranked:
        """scores (n,), any order, ties allowed; holds bool (n,)."""
        order = np.argsort(-scores, kind="stable")
        ranked, hit = scores[order].astype(np.float64), holds[order]
        last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True]) if len(ranked) else np.zeros(0, np.int64)
        right = np.cumsum(hit, dtype=np.float64)[last]
        return cls(ranked[last], right, 1.0 + last - right)

    @property
    def positives(self) -> float:
        return float(self.right[-1]) if len(self.right) else 0.0

    @property
    def negatives(self) -> float:
        return float(self.wrong[-1]) if len(self.wrong) else 0.0

    def roc_auc(self) -> float | None:
        """The chance that a row that holds the option scores above one that does not (ties half); None without both."""
        if not self.positives or not self.negatives:
            return None
        up, along = np.r_[0.0, self.right], np.r_[0.0, self.wrong]
        area = float(((up[1:] + up[:-1]) / 2 * np.diff(along)).sum())
        return area / (self.positives * self.negatives)

    def average_precision(self) -> float | None:
        """Mean precision over the steps of recall, not interpolated; None where no row holds the option."""
        if not self.positives:
            return None
        steps = np.diff(np.r_[0.0, self.right]) / self.positives
        return float((steps * self.right / (self.right + self.wrong)).sum())

    def precision_recall(self, points: int = POINTS) -> Numbers | None:
        """float64 (p, 3): recall ascending, precision, cutoff; from recall 0 at precision 1, where the cutoff is
        infinite and nothing is answered. None where no row holds the option."""
        if not self.positives:
            return None
        recall = np.r_[0.0, self.right / self.positives]
        precision = np.r_[1.0, self.right / (self.right + self.wrong)]
        return _thinned(np.stack([recall, precision, np.r_[np.inf, self.cutoffs]], axis=1), points)

    def roc(self, points: int = POINTS) -> Numbers | None:
        """float64 (p, 3): false-positive rate ascending, true-positive rate (recall), cutoff; from (0, 0) at an
        infinite cutoff to (1, 1). None where all rows hold the option, or none does."""
        if not self.positives or not self.negatives:
            return None
        along, up = np.r_[0.0, self.wrong / self.negatives], np.r_[0.0, self.right / self.positives]
        return _thinned(np.stack([along, up, np.r_[np.inf, self.cutoffs]], axis=1), points)


def reliability(probabilities: Numbers, right: Bits) -> Numbers:
    """float64 (15, 3), by bins of equal width: mean probability, share that came true, how many; NaN where none."""
    bins = bins_of(probabilities)
    size = np.bincount(bins, minlength=BINS).astype(np.float64)
    mean, true = (
        np.divide(np.bincount(bins, weights=part, minlength=BINS), size, out=np.full(BINS, np.nan), where=size > 0)
        for part in (probabilities, right.astype(np.float64))
    )
    return np.stack([mean, true, size], axis=1)


def stacked(curves: list[Numbers | None], points: int = POINTS) -> NDArray[np.float32]:
    """Several options' curves as float32 (k, points, 3); the tail repeats the last point, a missing curve is NaN."""
    result = np.full((len(curves), points, 3), np.nan, np.float32)
    for number, curve in enumerate(curves):
        if curve is not None:
            result[number] = curve[np.minimum(np.arange(points), len(curve) - 1)]
    return result


def _thinned(curve: Numbers, points: int) -> Numbers:
    """Some of the curve's own points, both ends among them, evenly along its length."""
    if len(curve) <= points:
        return curve
    length = np.r_[0.0, np.cumsum(np.abs(np.diff(curve[:, :2], axis=0)).sum(axis=1))]
    wanted = np.searchsorted(length, np.linspace(0.0, length[-1], points - 1), side="left")
    thinned: Numbers = curve[np.unique(np.r_[0, wanted, len(curve) - 1])]
    return thinned
