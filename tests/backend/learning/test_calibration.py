"""Calibration: probabilities that mean something, gently with few rows, never out of bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.learning.calibration import Calibration, cross_calibrate
from espalier.learning.metrics import calibration_error, log_loss


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


def drawn(n: int, options: int, heat: float, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scores that are `heat` times too sure (or unsure), with targets drawn from the true probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, options)) * 1.5
    labels = (softmax(logits).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return softmax(logits * heat), np.eye(options, dtype=np.float32)[labels]


@pytest.mark.parametrize("heat", [0.3, 3.0], ids=["too unsure", "too sure"])
def test_a_temperature_mends_scores_on_rows_it_has_not_seen(heat: float) -> None:
    scores, targets = drawn(2000, 4, heat, 0)
    mask = np.ones_like(targets, np.bool_)
    fitted = Calibration.of(scores[:1000], targets[:1000], mask[:1000], exclusive=True)
    after = fitted(scores[1000:])
    before_error = calibration_error(scores[1000:], targets[1000:], mask[1000:], exclusive=True)
    assert calibration_error(after, targets[1000:], mask[1000:], exclusive=True) < before_error / 2
    assert log_loss(after, targets[1000:], mask[1000:], exclusive=True) < log_loss(
        scores[1000:], targets[1000:], mask[1000:], exclusive=True
    )
    assert float(fitted.slopes[0]) == pytest.approx(1 / heat, rel=0.15)
    assert (after.argmax(axis=1) == scores[1000:].argmax(axis=1)).all()


@pytest.mark.parametrize("shift", [-1.5, 1.5], ids=["too low", "too high"])
def test_platt_mends_each_option_by_itself(shift: float) -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(3000, 2)) * 2
    targets = (rng.random((3000, 2)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    scores = (1 / (1 + np.exp(-(logits * 2 + np.array([shift, 0]))))).astype(np.float32)
    mask = np.ones_like(targets, np.bool_)
    after = cross_calibrate(scores, targets, mask, np.arange(3000) % 3, exclusive=False)
    assert calibration_error(after, targets, mask, exclusive=False) < 0.03
    assert calibration_error(scores, targets, mask, exclusive=False) > 0.05


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "independent"])
def test_few_rows_change_little(exclusive: bool) -> None:
    scores, targets = drawn(4, 2, 1.0, 1)
    fitted = Calibration.of(scores, targets, np.ones_like(targets, np.bool_), exclusive=exclusive)
    assert (np.abs(np.log(fitted.slopes)) < 0.7).all()
    assert (np.abs(fitted.shifts) < 0.7).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(1, 5), st.booleans())
def test_calibrated_scores_are_probabilities_in_order(seed: int, n: int, options: int, exclusive: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = softmax(rng.normal(size=(n, options)) * rng.choice([0.1, 1, 50]))
    if not exclusive:
        scores = rng.choice(np.array([0, 1e-9, 0.3, 0.5, 1 - 1e-7, 1], np.float32), size=(n, options))
    targets = np.eye(options, dtype=np.float32)[rng.integers(0, options, n)]
    mask = rng.random((n, options)) > 0.2
    fitted = Calibration.of(scores, targets, mask, exclusive=exclusive)
    after = fitted(scores)
    assert after.dtype == np.float32
    assert np.isfinite(after).all()
    assert ((after >= 0) & (after <= 1)).all()
    if exclusive:
        np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-3)
    else:
        for column in range(options):
            order = np.argsort(scores[:, column])
            assert (np.diff(after[order, column]) >= -1e-6).all()
