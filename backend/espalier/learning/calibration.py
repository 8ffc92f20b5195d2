"""Calibration: scores become probabilities. It is fitted on scores of rows that the classifier has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids, Mask, Scores, Targets

_FLOOR = 1e-6
_SLOPES = (0.05, 20.0)
_STEPS = 25
_PRIOR_SPREAD = 0.5
"""How far, as a standard deviation of log slope and of shift, few rows may pull away from the identity."""


@dataclass(frozen=True)
class Calibration:
    """Monotone maps in the space of logits: softmax(slope * log p), or sigmoid(slope * logit(p) + shift) per option.

    slopes and shifts are float64 (k,), slopes above 0; exclusive options share one slope and have no shift.
    """

    exclusive: bool
    slopes: NDArray[np.float64]
    shifts: NDArray[np.float64]

    @classmethod
    def identity(cls, options: int, *, exclusive: bool) -> Calibration:
        return cls(exclusive, np.ones(options), np.zeros(options))

    @classmethod
    def of(cls, scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> Calibration:
        """The most probable calibration, given the rows and a leaning towards the identity."""
        k = scores.shape[1]
        if exclusive:
            holds = mask & (targets > 0.5)
            rows = holds.sum(axis=1) == 1
            slope = _temperature(_logs(scores[rows]), holds[rows].argmax(axis=1))
            return cls(True, np.full(k, slope), np.zeros(k))
        slopes, shifts = _platt(_logits(scores), targets, mask)
        return cls(False, slopes, shifts)

    def __call__(self, scores: Scores) -> Scores:
        """float32 (n, k) to the same shape, finite, within [0, 1]; exclusive rows sum to 1."""
        if self.exclusive:
            if np.all(self.slopes == 1):
                return scores
            return _softmax(_logs(scores) * np.float32(self.slopes[0] if len(self.slopes) else 1))
        z = self.slopes.astype(np.float32) * _logits(scores) + self.shifts.astype(np.float32)
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)), np.float32)


def cross_calibrate(scores: Scores, targets: Targets, mask: Mask, folds: Ids, *, exclusive: bool) -> Scores:
    """Each fold calibrated by the others, so that what is measured afterwards is not measured on its own fit."""
    calibrated = np.empty_like(scores)
    for fold in np.unique(folds):
        inside = folds == fold
        outside = ~inside
        fitted = Calibration.of(scores[outside], targets[outside], mask[outside], exclusive=exclusive)
        calibrated[inside] = fitted(scores[inside])
    return calibrated


def _logs(scores: Scores) -> NDArray[np.float32]:
    return np.asarray(np.log(np.maximum(scores, np.float32(_FLOOR))))


def _logits(scores: Scores) -> NDArray[np.float32]:
    kept = np.clip(scores, np.float32(_FLOOR), np.float32(1 - _FLOOR))
    return np.asarray(np.log(kept) - np.log1p(-kept))


def _softmax(logs: NDArray[np.float32]) -> Scores:
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def _temperature(logs: NDArray[np.float32], labels: Ids) -> float:
    """One over the temperature, by Newton's method on its logarithm u, with a normal prior on u."""
    if len(labels) == 0 or logs.shape[1] < 2:
        return 1.0
    chosen = logs[np.arange(len(labels)), labels].astype(np.float64)
    u = 0.0
    for _ in range(_STEPS):
        slope = np.exp(u)
        share = _softmax(logs * np.float32(slope))
        mean = np.einsum("nk,nk->n", share, logs).astype(np.float64)
        spread = np.einsum("nk,nk,nk->n", share, logs, logs).astype(np.float64) - mean**2
        gradient = slope * float((mean - chosen).sum()) + u / _PRIOR_SPREAD**2
        bend = slope * slope * float(spread.sum()) + abs(slope * float((mean - chosen).sum())) + _PRIOR_SPREAD**-2
        step = float(np.clip(-gradient / bend, -0.5, 0.5))
        u = float(np.clip(u + step, *np.log(_SLOPES)))
        if abs(step) < 1e-3:
            break
    return float(np.exp(u))


def _platt(
    logits: NDArray[np.float32], targets: Targets, mask: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and shift of every option at once, by Newton's method with normal priors around 1 and 0."""
    k = logits.shape[1]
    slope, shift = np.ones(k), np.zeros(k)
    z, said = logits.astype(np.float64), mask.astype(np.float64)
    prior = _PRIOR_SPREAD**-2
    for _ in range(_STEPS):
        share = 0.5 * (1.0 + np.tanh(0.5 * (slope * z + shift)))
        residual = said * (share - np.where(mask, targets, 0.0))
        bend = said * share * (1.0 - share)
        g_slope = (residual * z).sum(axis=0) + prior * (slope - 1.0)
        g_shift = residual.sum(axis=0) + prior * shift
        a, b, c = (bend * z * z).sum(axis=0) + prior, (bend * z).sum(axis=0), bend.sum(axis=0) + prior
        det = np.maximum(a * c - b * b, 1e-9)
        d_slope = np.clip((c * g_slope - b * g_shift) / det, -0.5, 0.5)
        d_shift = np.clip((a * g_shift - b * g_slope) / det, -1.0, 1.0)
        slope = np.clip(slope - d_slope, *_SLOPES)
        shift = shift - d_shift
        if max(np.abs(d_slope).max(initial=0), np.abs(d_shift).max(initial=0)) < 1e-3:
            break
    return slope, shift
