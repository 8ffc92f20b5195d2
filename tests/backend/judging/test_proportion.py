"""Proportions: intervals as wide as scipy's, and rows of one video that do not pass for as many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest  # type: ignore[import-untyped]

from espalier.judging.proportion import clopper_pearson, effective, likeness, wilson


@pytest.mark.parametrize(
    ("right", "of"), [(0, 5), (5, 5), (98, 100), (3, 7), (1, 1)], ids=["none", "all", "most", "some", "one"]
)
def test_intervals_are_those_of_scipy(right: int, of: int) -> None:
    for interval, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        for confidence in (0.9, 0.95):
            expected = binomtest(right, of).proportion_ci(confidence, method=method)
            found = interval(right, of, confidence)
            assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
            assert found.low <= right / of <= found.high


def test_nothing_counted_says_nothing() -> None:
    for interval in (wilson(0, 0), clopper_pearson(0, 0)):
        assert (interval.low, interval.high) == (0.0, 1.0)


def test_rows_of_groups_count_for_less_the_more_they_are_alike() -> None:
    groups = np.array([0, 0, 1, 0])
    np.testing.assert_allclose(effective(groups, 0.0), [1, 2, 3, 4])
    np.testing.assert_allclose(effective(groups, 1.0), [1, 1, 9 / 5, 16 / 10])  # n squared over the sum of squares
    np.testing.assert_allclose(effective(np.arange(50), 1.0), np.arange(1, 51))
    assert len(effective(np.zeros(0, np.int64), 1.0)) == 0


def test_frames_of_a_video_are_alike_and_single_pictures_are_not() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 25)
    expected = np.full(1000, 0.8)
    by_video = (rng.random(40) < 0.8)[groups]
    by_frame = rng.random(1000) < 0.8
    assert likeness(by_video, expected, groups) > 0.9
    assert likeness(by_frame, expected, groups) < 0.2
    assert likeness(by_frame, expected, np.arange(1000)) == 0.0


@pytest.mark.parametrize("groups", [1, 3], ids=["one video", "three videos"])
def test_few_videos_prove_little_however_many_frames_are_right(groups: int) -> None:
    group = np.arange(900) % groups
    alike = likeness(np.ones(900, np.bool_), np.random.default_rng(1).uniform(0.95, 1.0, 900), group)
    assert effective(group, alike)[-1] < 2 * groups
