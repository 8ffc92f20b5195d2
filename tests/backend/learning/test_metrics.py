"""Metrics: equal to scikit-learn's, finite, and blind to what is masked."""

from __future__ import annotations

import math

import numpy as np
from sklearn.metrics import accuracy_score, f1_score
from sklearn.metrics import log_loss as sklearn_log_loss

from espalier.learning.metrics import calibration_error, measure, per_option


def test_they_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 300)
    scores = rng.dirichlet(np.ones(4), 300).astype(np.float32) + 0.4 * np.eye(4, dtype=np.float32)[labels]
    scores /= scores.sum(axis=1, keepdims=True)
    targets = np.eye(4, dtype=np.float32)[labels]
    best = scores.argmax(axis=1)
    answers = np.eye(4, dtype=np.bool_)[best]
    exact = scores.astype(np.float64)
    expected = sklearn_log_loss(labels, exact / exact.sum(axis=1, keepdims=True))
    found = measure(scores, answers, targets, np.ones_like(answers), exclusive=True)
    assert math.isclose(found["accuracy"], accuracy_score(labels, best))
    assert math.isclose(found["macro_f1"], f1_score(labels, best, average="macro"))
    assert math.isclose(found["f1"], f1_score(labels, best, average="micro"))
    assert math.isclose(found["log_loss"], expected, rel_tol=1e-4)
    assert math.isclose(found["coverage"], 1.0)
    of_first = per_option(answers, targets, np.ones_like(answers))[0]
    assert math.isclose(of_first["f1"], f1_score(labels == 0, best == 0))
    assert of_first["support"] == (labels == 0).sum()


def test_masked_cells_count_for_nothing() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random((50, 3)).astype(np.float32)
    targets = (rng.random((50, 3)) > 0.5).astype(np.float32)
    mask = rng.random((50, 3)) > 0.4
    answers = scores > 0.5
    other = np.where(mask, targets, 1 - targets)
    first = measure(scores, answers, targets, mask, exclusive=False)
    assert first == measure(scores, answers, other, mask, exclusive=False)
    assert all(math.isfinite(value) for value in first.values())


def test_nothing_said_measures_nothing() -> None:
    nothing = np.zeros((4, 2), np.bool_)
    assert measure(np.ones((4, 2), np.float32), nothing, np.ones((4, 2), np.float32), nothing, exclusive=True) == {
        "rows": 0.0
    }


def test_a_liar_has_a_large_calibration_error() -> None:
    targets = np.eye(2, dtype=np.float32)[np.arange(100) % 2]
    sure = np.tile(np.array([[0.99, 0.01]], np.float32), (100, 1))
    mask = np.ones_like(targets, np.bool_)
    assert abs(calibration_error(sure, targets, mask, exclusive=True) - 0.49) < 1e-6
    assert calibration_error(np.full((100, 2), 0.5, np.float32), targets, mask, exclusive=True) < 1e-6
