"""Bootstrap: groups are drawn, and sums are exact."""

from __future__ import annotations

import numpy as np
import pytest

from espalier.judging.bootstrap import f1_where_all_agree, intervals, resampled, where_all_agree, worth_of


def test_each_resample_sums_whole_groups_drawn_with_replacement() -> None:
    groups = np.array([7, 3, 7, 5])
    counts = np.array([[1.0, 10], [2, 20], [4, 40], [8, 80]])
    by_group = np.array([[2.0, 20], [8, 80], [5, 50]])  # 3, 5, 7
    found = resampled(counts, groups, resamples=50, seed=4)
    rng = np.random.default_rng(4)
    expected = np.stack([by_group[rng.integers(0, 3, 3)].sum(axis=0) for _ in range(50)])
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found, resampled(counts, groups, resamples=50, seed=4))


def test_large_sums_are_exact_too() -> None:
    counts = np.full((3, 1), float(1 << 24)) + np.array([[1.0], [3.0], [5.0]])
    assert set(np.ravel(resampled(counts, np.arange(3), resamples=99, seed=0)) % 2) == {1.0}


def test_the_interval_of_an_accuracy_is_that_of_the_binomial() -> None:
    right = (np.arange(1000) % 5 != 0).astype(np.float64)[:, None]  # 80 % of 1000
    sums = resampled(right, np.arange(1000), resamples=2000, seed=0)
    (bounds,) = intervals(sums / 1000)
    assert bounds == pytest.approx([0.8 - 1.96 * np.sqrt(0.16 / 1000), 0.8 + 1.96 * np.sqrt(0.16 / 1000)], abs=0.003)


def test_frames_of_one_video_say_one_thing() -> None:
    """A hundred videos of ten equal frames leave as much open as a hundred pictures."""
    right = np.repeat((np.arange(100) % 5 != 0).astype(np.float64), 10)[:, None]
    by_video = intervals(resampled(right, np.repeat(np.arange(100), 10), resamples=2000, seed=0) / 1000)[0]
    by_frame = intervals(resampled(right, np.arange(1000), resamples=2000, seed=0) / 1000)[0]
    assert by_video is not None
    assert by_frame is not None
    assert (by_video[1] - by_video[0]) / (by_frame[1] - by_frame[0]) == pytest.approx(np.sqrt(10), rel=0.1)


def test_what_is_not_a_number_counts_for_nothing() -> None:
    values = np.array([[np.nan, np.nan], [1.0, np.nan], [1.0, np.nan]])
    assert intervals(values) == [[1.0, 1.0], None]
    assert resampled(np.zeros((0, 2)), np.zeros(0, np.int64), resamples=3, seed=0).tolist() == [[0.0, 0.0]] * 3


@pytest.mark.parametrize(
    ("share", "worth", "low", "high"),
    [(1.0, 9, 9 / (9 + 3.8415), 1.0), (0.0, 9, 0.0, 3.8415 / (9 + 3.8415)), (1.0, 900, 0.99575, 1.0)],
    ids=["nine of nine", "none of nine", "nine hundred of nine hundred"],
)
def test_where_all_was_right_the_interval_is_wilson_s(share: float, worth: float, low: float, high: float) -> None:
    assert where_all_agree([share, share], share, worth) == pytest.approx([low, high], abs=1e-4)


def test_where_resamples_differ_their_interval_stays() -> None:
    assert where_all_agree([0.8, 1.0], 0.9, 10) == [0.8, 1.0]
    assert f1_where_all_agree([0.8, 1.0], 0.9, 10) == [0.8, 1.0]
    assert where_all_agree(None, 1.0, 10) is None
    assert f1_where_all_agree(None, 1.0, 10) is None


def test_an_f1_follows_from_the_share_of_right_answers_among_those_given_or_missed() -> None:
    low = 9 / (9 + 3.8415)
    assert f1_where_all_agree([1.0, 1.0], 1.0, 9) == pytest.approx([2 * low / (1 + low), 1.0], abs=1e-4)
    assert f1_where_all_agree([0.0, 0.0], 0.0, 9) == pytest.approx([0.0, 2 * (1 - low) / (2 - low)], abs=1e-4)


def test_a_hundred_frames_of_two_videos_are_worth_two_rows() -> None:
    assert worth_of(np.ones(100), np.arange(100) % 2) == pytest.approx(2.0)
    assert worth_of(np.ones(100), np.arange(100)) == pytest.approx(100.0)
    assert worth_of(np.ones(100), (np.arange(100) >= 99).astype(np.int64)) == pytest.approx(1.0202, abs=1e-4)
    assert worth_of(np.zeros(3), np.arange(3)) == 0.0
