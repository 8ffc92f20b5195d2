"""Promises: kept on rows that nobody has seen, withheld where there is too little to go by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.judging.promise import Candidates

TARGETS = (0.9, 0.95, 0.98)


def candidates(
    score: NDArray[np.floating[Any]], right: NDArray[np.bool_], groups: NDArray[np.int64] | None = None
) -> Candidates:
    """Yes-or-no answers to one option, a row each."""
    rows = np.arange(len(score))
    return Candidates.of(
        score[:, None].astype(np.float32),
        right[:, None].astype(np.float32),
        np.ones((len(score), 1), np.bool_),
        rows if groups is None else groups,
        rows % 5,
        exclusive=False,
    )


def drawn(n: int, seed: int, heat: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Scores, whether each is right, and how likely that was; with heat above 1 the scores are too sure."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(1.5, 2.0, n)
    likely = 1 / (1 + np.exp(-logit))
    return 1 / (1 + np.exp(-heat * logit)), rng.random(n) < likely, likely


@pytest.mark.parametrize("heat", [1.0, 1.3, 0.7], ids=["calibrated", "too sure", "too unsure"])
@pytest.mark.parametrize("n", [60, 300, 2000])
def test_a_promise_is_kept_on_rows_that_nobody_has_seen(n: int, heat: float) -> None:
    kept, lucky, coverage = [], [], []
    for seed in range(60):
        score, right, _ = drawn(n, seed, heat)
        new, _, likely = drawn(20_000, 10_000 + seed, heat)
        order = np.argsort(-score)
        enough = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, n + 1) >= 0.95)
        if len(enough):
            lucky.append(likely[new >= score[order][enough[-1]]].mean() >= 0.95)
        (cutoff,) = candidates(score, right).promised([0.95])
        if cutoff is not None:
            kept.append(likely[new >= cutoff].mean() >= 0.95)
            coverage.append(float((new >= cutoff).mean()))
    assert np.mean(kept) >= (0.9 if heat <= 1 else 0.8)
    assert np.mean(kept) > np.mean(lucky) + 0.2
    if heat == 1:
        assert len(kept) > 50
        assert np.mean(coverage) > {60: 0.15, 300: 0.25, 2000: 0.33}[n]  # 0.42 would be, were the truth known


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.booleans())
def test_more_is_promised_of_less(seed: int, n: int, grouped: bool) -> None:
    rng = np.random.default_rng(seed)
    score = rng.random(n).round(1)
    found = candidates(score, rng.random(n) < score, rng.integers(0, 4, n) if grouped else None)
    cutoffs = [1.1 if cutoff is None else cutoff for cutoff in found.promised(TARGETS)]
    assert cutoffs == sorted(cutoffs)
    best = found.best_promise()
    if best is None:
        assert found.promised(TARGETS) == [None] * 3
    else:
        assert found.promised([best[0] - 1e-6])[0] is not None
        assert best[0] > 0.998 or found.promised([best[0] + 1e-3])[0] is None
    for cutoff in found.promised(TARGETS):
        assert cutoff is None or cutoff in score.astype(np.float32)


def test_equal_scores_stand_on_one_side() -> None:
    score = np.array([0.99] * 60 + [0.9] * 60)
    right = np.array([True] * 60 + [True, False] * 30)
    assert candidates(score, right).promised([0.95]) == [pytest.approx(0.99)]
    assert candidates(score[::-1].copy(), right[::-1].copy()).promised([0.95]) == [pytest.approx(0.99)]


def test_four_right_answers_promise_nothing() -> None:
    assert candidates(np.full(4, 0.999), np.ones(4, np.bool_)).promised([0.9]) == [None]
    assert candidates(np.full(4, 0.999), np.ones(4, np.bool_)).best_promise() is None


def test_one_video_promises_nothing_of_the_next() -> None:
    score, right = np.linspace(0.95, 0.99, 1000), np.ones(1000, np.bool_)
    assert candidates(score, right, np.zeros(1000, np.int64)).promised([0.9]) == [None]
    assert candidates(score, right).promised([0.9]) != [None]


def test_an_interval_holds_the_truth_nineteen_times_in_twenty_where_frames_come_in_videos() -> None:
    inside = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(60), 10)
        right = (rng.random(60)[groups] * 0.5 + rng.random(600) * 0.5) < 0.8  # half of it is the video's
        found = candidates(np.full(600, 0.875), right, groups)
        interval = found.precision(np.ones(600, np.bool_))
        inside.append(interval.low <= 0.92 <= interval.high)
    assert np.mean(inside) > 0.9


def test_of_exclusive_options_only_the_best_is_a_candidate() -> None:
    scores = np.array([[0.6, 0.4], [0.3, 0.7], [0.9, 0.1]], np.float32)
    targets = np.array([[1, 0], [1, 0], [0, 0]], np.float32)
    mask = np.array([[True, True], [True, True], [True, True]])
    groups = np.array([7, 8, 9])
    both = Candidates.of(scores, targets, mask, groups, groups, exclusive=True)
    np.testing.assert_allclose(both.score, [0.9, 0.7, 0.6])
    assert both.right.tolist() == [False, False, True]
    assert both.row.tolist() == [2, 1, 0]
    first = Candidates.of(scores, targets, mask, groups, groups, exclusive=True, options=np.array([True, False]))
    assert first.row.tolist() == [2, 0]
    twice = Candidates.joined([both, both])
    assert len(twice) == 6
    assert len(set(twice.row.tolist())) == 6
