"""Cutoffs: within [0, 1], and best for F1 where there is enough to choose by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espalier.learning.cutoffs import answered, best_f1, cross_answered, starting_cutoff


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(1, 5), st.booleans())
def test_cutoffs_are_within_bounds(seed: int, n: int, options: int, exclusive: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random((n, options)).astype(np.float32).round(1)
    if exclusive and n:
        scores = (scores + 0.01) / (scores + 0.01).sum(axis=1, keepdims=True)
    targets = np.eye(options, dtype=np.float32)[rng.integers(0, options, n)]
    mask = np.repeat(rng.random((n, 1)) > 0.2, options, axis=1)
    cutoffs = best_f1(scores, targets, mask, exclusive=exclusive)
    assert cutoffs.shape == (options,)
    assert ((cutoffs >= 0) & (cutoffs <= 1)).all()
    given_ = answered(scores, cutoffs, exclusive=exclusive)
    assert (scores >= cutoffs)[given_].all()
    if exclusive:
        assert (given_.sum(axis=1) <= 1).all()


def test_the_best_f1_is_found() -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random((500, 1)) < 0.2).astype(np.float32)
    scores = np.clip(0.3 * targets + rng.random((500, 1)) * 0.5, 0, 1).astype(np.float32)
    mask = np.ones_like(targets, np.bool_)

    def f1(cutoff: float) -> float:
        above = scores >= cutoff
        return float(2 * (above & (targets > 0)).sum() / (above.sum() + targets.sum()))

    best = max(f1(cutoff) for cutoff in np.unique(scores))
    assert f1(float(best_f1(scores, targets, mask, exclusive=False)[0])) > best - 0.02


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "independent"])
def test_without_positives_it_stays_at_the_start(exclusive: bool) -> None:
    scores = np.full((3, 4), 0.25, np.float32)
    nothing = np.zeros((3, 4), np.bool_)
    cutoffs = best_f1(scores, np.zeros((3, 4), np.float32), nothing, exclusive=exclusive)
    assert (cutoffs == starting_cutoff(4, exclusive=exclusive)).all()


def test_a_fold_has_no_say_in_its_own_cutoff() -> None:
    scores = np.array([[0.9], [0.8], [0.2], [0.1]] * 10, np.float32)
    targets = (scores > 0.5).astype(np.float32)
    mask, folds = np.ones_like(targets, np.bool_), np.arange(40) % 4
    answers = cross_answered(scores, targets, mask, folds, exclusive=False)
    targets[folds == 0] = 1 - targets[folds == 0]
    again = cross_answered(scores, targets, mask, folds, exclusive=False)
    assert (answers[folds == 0] == again[folds == 0]).all()
