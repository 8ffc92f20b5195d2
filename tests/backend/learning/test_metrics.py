"""Metrics: equal to scikit-learn's, finite, and blind to what is masked."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, top_k_accuracy_score
from sklearn.metrics import log_loss as sklearn_log_loss

from espalier.learning.metrics import (
    brier,
    calibration_error,
    confidence,
    correct,
    log_loss,
    measure,
    per_option,
    top_k,
)

Floats = NDArray[np.float32]
SEEDS = st.integers(0, 2**32 - 1)


def exclusive(seed: int, *, background: bool, n: int = 60, k: int = 4) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Scores with ties (and with something left for the background), targets, and labels, where k is the background."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k + background, n)
    shares = rng.integers(0, 4, (n, k + background)) + 2 * np.eye(k + background)[labels] + 0.01
    scores = (shares / shares.sum(axis=1, keepdims=True))[:, :k].astype(np.float32)
    return scores, np.eye(k + 1, dtype=np.float32)[labels][:, :k], labels


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
    assert math.isclose(found["log_loss"], expected, rel_tol=1e-6)
    assert math.isclose(found["coverage"], 1.0)
    of_first = per_option(answers, targets, np.ones_like(answers))[0]
    assert math.isclose(of_first["f1"], f1_score(labels == 0, best == 0))
    assert of_first["support"] == (labels == 0).sum()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.booleans())
def test_probabilities_of_one_option_per_row(seed: int, background: bool) -> None:
    scores, targets, labels = exclusive(seed, background=background)
    mask = np.ones(scores.shape, np.bool_)
    whole = scores.astype(np.float64)
    if background:
        whole = np.c_[whole, 1 - whole.sum(axis=1)]
    known = list(range(whole.shape[1]))
    assert correct(scores, targets, mask, exclusive=True).mean() == pytest.approx(
        accuracy_score(labels, whole.argmax(axis=1)), abs=1e-9
    )
    whole /= whole.sum(axis=1, keepdims=True)
    assert log_loss(scores, targets, mask, exclusive=True) == pytest.approx(
        sklearn_log_loss(labels, whole, labels=known), abs=1e-6
    )
    assert brier(scores, targets, mask, exclusive=True) == pytest.approx(
        brier_score_loss(labels, whole, labels=known, scale_by_half=False), abs=1e-6
    )
    # scikit-learn gives ties to the later column: turned round, both give them to the same one
    turned = scores[:, ::-1] if not background else np.c_[1 - scores.astype(np.float64).sum(axis=1), scores[:, ::-1]]
    for k in (2, 3):
        assert top_k(scores, targets, mask, k) == pytest.approx(
            top_k_accuracy_score(known[-1] - labels, turned, k=k, labels=known), abs=1e-9
        )
    assert top_k(scores, targets, mask, len(known)) is None
    assert confidence(scores, targets, mask, exclusive=True) == pytest.approx(whole.max(axis=1).mean(), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_probabilities_where_several_may_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, 6, (40, 3)) / 5).astype(np.float32)
    targets = (rng.random((40, 3)) > 0.5).astype(np.float32)
    mask = rng.random((40, 3)) > 0.3
    said, true = scores[mask].astype(np.float64), targets[mask]
    assert log_loss(scores, targets, mask, exclusive=False) == pytest.approx(
        sklearn_log_loss(true, np.clip(said, 2.0**-23, 1 - 2.0**-23), labels=[0, 1]), abs=1e-6
    )
    assert brier(scores, targets, mask, exclusive=False) == pytest.approx(brier_score_loss(true, said), abs=1e-6)
    accuracy = accuracy_score(true, said >= 0.5)
    assert correct(scores, targets, mask, exclusive=False).mean() == pytest.approx(accuracy, abs=1e-9)


def test_a_frame_that_shows_none_of_the_options_is_right_where_the_scores_leave_most_to_that() -> None:
    scores = np.array([[0.1, 0.2], [0.62, 0.3], [0.15, 0.15]], np.float32)
    targets = np.array([[0, 0], [1, 0], [0, 1]], np.float32)
    found = measure(scores, scores > 0.5, targets, np.ones((3, 2), np.bool_), exclusive=True)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["log_loss"] == pytest.approx(-np.log([0.7, 0.62, 0.15]).mean(), abs=1e-6)
    assert found["ece"] == pytest.approx((abs(1 - 1.4) + abs(1 - 0.62)) / 3, abs=1e-6)


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
    ones = np.ones((4, 2), np.float32)
    assert measure(ones, nothing, ones, nothing, exclusive=True) == {"rows": 0.0}
    for exclusively in (True, False):
        assert brier(ones, ones, nothing, exclusive=exclusively) is None
        assert confidence(ones, ones, nothing, exclusive=exclusively) is None
    assert top_k(ones, ones, nothing, 1) is None


def test_a_liar_has_a_large_calibration_error() -> None:
    targets = np.eye(2, dtype=np.float32)[np.arange(100) % 2]
    sure = np.tile(np.array([[0.99, 0.01]], np.float32), (100, 1))
    mask = np.ones_like(targets, np.bool_)
    assert abs(calibration_error(sure, targets, mask, exclusive=True) - 0.49) < 1e-6
    assert calibration_error(np.full((100, 2), 0.5, np.float32), targets, mask, exclusive=True) < 1e-6


def test_the_calibration_error_of_five_cells_by_hand() -> None:
    """Bins of 1/15: 0.01 and 0.05 share one, and hold never and once; 0.5 twice holds once; 0.95 holds not."""
    scores = np.array([[0.01], [0.05], [0.5], [0.5], [0.95]], np.float32)
    targets = np.array([[0], [1], [1], [0], [0]], np.float32)
    found = calibration_error(scores, targets, np.ones((5, 1), np.bool_), exclusive=False)
    assert found == pytest.approx((abs(1 - 0.06) + abs(1 - 1.0) + 0.95) / 5, abs=1e-6)
