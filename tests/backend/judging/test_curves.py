"""Curves: scikit-learn's own points, few enough to be drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from espalier.judging.curves import POINTS, Ranked, reliability, stacked

SEEDS = st.integers(0, 2**32 - 1)


def one(seed: int, n: int, levels: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Scores of so many levels, thus with ties, of which about a third holds: at least one, and not all."""
    rng = np.random.default_rng(seed)
    holds = rng.random(n) < 0.3
    holds[:2] = [True, False]
    return ((rng.integers(0, levels, n) + holds) / levels).astype(np.float32), holds


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(2, 80), st.sampled_from([1, 2, 5, 1000]))
def test_the_areas_are_scikit_learns(seed: int, n: int, levels: int) -> None:
    scores, holds = one(seed, n, levels)
    ranked = Ranked.of(scores, holds)
    assert ranked.roc_auc() == pytest.approx(roc_auc_score(holds, scores), abs=1e-6)
    assert ranked.average_precision() == pytest.approx(average_precision_score(holds, scores), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 80), st.sampled_from([1, 3, 1000]))
def test_short_curves_are_scikit_learns_point_by_point(seed: int, n: int, levels: int) -> None:
    scores, holds = one(seed, n, levels)
    ranked = Ranked.of(scores, holds)
    along, up, cutoffs = roc_curve(holds, scores, drop_intermediate=False)
    found = ranked.roc(), ranked.precision_recall()
    assert found[0] is not None
    assert found[1] is not None
    np.testing.assert_allclose(found[0], np.stack([along, up, cutoffs], axis=1), atol=1e-6)
    precision, recall, at = precision_recall_curve(holds, scores)
    expected = np.stack([recall, precision, np.r_[at, np.inf]], axis=1)[::-1]
    np.testing.assert_allclose(found[1], expected, atol=1e-6)


def test_long_curves_are_thinned_to_points_of_their_own_with_both_ends() -> None:
    scores, holds = one(0, 20_000, 1 << 20)
    ranked = Ranked.of(scores, holds)
    for thinned, whole in (
        (ranked.roc(), ranked.roc(1 << 20)),
        (ranked.precision_recall(), ranked.precision_recall(1 << 20)),
    ):
        assert thinned is not None
        assert whole is not None
        assert 50 < len(thinned) <= POINTS
        assert {tuple(point) for point in thinned} <= {tuple(point) for point in whole}
        np.testing.assert_array_equal(thinned[[0, -1]], whole[[0, -1]])
        height = np.interp(whole[:, 0], thinned[:, 0], thinned[:, 1])
        assert np.abs(height - whole[:, 1])[len(whole) // 100 :].max() < 0.02, "it looks the same"


def test_what_cannot_be_drawn_is_none() -> None:
    scores = np.array([0.2, 0.4], np.float32)
    for holds in ([True, True], [False, False]):
        assert Ranked.of(scores, np.array(holds)).roc_auc() is None
        assert Ranked.of(scores, np.array(holds)).roc() is None
    never = Ranked.of(scores, np.zeros(2, np.bool_))
    assert never.average_precision() is None
    assert never.precision_recall() is None
    assert Ranked.of(scores[:0], np.zeros(0, np.bool_)).roc_auc() is None


def test_reliability_is_scikit_learns() -> None:
    scores, holds = one(3, 500, 50)
    p = np.clip(scores.astype(np.float64), 0, 1) * 0.999 + 0.0003  # scikit-learn's bins are closed on the right
    found = reliability(p, holds)
    true, mean = calibration_curve(holds, p, n_bins=15)
    np.testing.assert_allclose(found[found[:, 2] > 0][:, 0], mean, atol=1e-6)
    np.testing.assert_allclose(found[found[:, 2] > 0][:, 1], true, atol=1e-6)
    assert found[:, 2].sum() == 500
    assert np.isnan(reliability(p[:0], holds[:0])[:, :2]).all()


def test_curves_are_stacked_with_their_last_point_repeated_and_nan_for_a_missing_one() -> None:
    curve = np.array([[0.0, 1.0, 0.9], [1.0, 0.5, 0.1]])
    found = stacked([curve, None], points=4)
    assert found.shape == (2, 4, 3)
    np.testing.assert_allclose(found[0], curve[[0, 1, 1, 1]].astype(np.float32))
    assert np.isnan(found[1]).all()
