"""Segment metrics: examples worked by hand after MS-TCN's definitions, and the laws they keep."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier.judging.segment_metrics import edit_score, found, frame_accuracy, segment_f1, segments
from espalier.learning.metrics import Bits


def video(labels: str) -> Bits:
    """One label per frame: a, b or c, or - for none."""
    return np.array([[label == option for option in "abc"] for label in labels], np.bool_)


def test_segments_are_the_runs_of_each_label() -> None:
    said = segments(video("aab-ba"))
    assert list(zip(*(part.tolist() for part in said), strict=True)) == [(0, 0, 2), (0, 5, 6), (1, 2, 3), (1, 4, 5)]


def test_an_example_by_hand() -> None:
    """Ten frames: a is found at 3/4, b at 2/5, the second a not at all, and a c is one too many."""
    true = video("aaaabbbbaa")
    said = video("aaa-bbcc--")
    assert frame_accuracy(said, true) == pytest.approx(5 / 10)
    assert found(said, true, 0.1) == (2, 3, 3)
    assert found(said, true, 0.5) == (2, 3, 3), "b: 2 of 4 frames"
    assert found(said, true, 0.6) == (1, 3, 3)
    assert segment_f1(*found(said, true, 0.5)) == pytest.approx(2 * (2 / 3) * (2 / 3) / (2 / 3 + 2 / 3))
    assert edit_score(said, true) == pytest.approx(1 - 1 / 3), "a b c for a b a"


def test_a_true_segment_is_found_once() -> None:
    assert found(video("aa-aa-"), video("aaaaaa"), 0.25) == (1, 2, 1)
    assert edit_score(video("aa-aa-"), video("aaaaaa")) == pytest.approx(0.5)


def test_too_many_segments_cost_although_the_frames_are_right() -> None:
    true, flickering = video("a" * 10), video("a-a-a-a-aa")
    assert frame_accuracy(flickering, true) == pytest.approx(0.6)
    assert edit_score(flickering, true) == pytest.approx(1 / 5)


def test_labels_that_overlap() -> None:
    true = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], np.bool_)
    assert found(true, true, 0.5) == (2, 2, 2)
    assert edit_score(true, true) == 1.0
    assert edit_score(true[:, ::-1].copy(), true) == pytest.approx(1 - 2 / 3), "b, both, a for a, both, b"


def test_nothing_to_find_and_nothing_found_has_no_figure() -> None:
    assert segment_f1(*found(video("---"), video("---"), 0.5)) is None
    assert edit_score(video("---"), video("---")) is None
    assert segment_f1(*found(video("aa-"), video("---"), 0.5)) == 0.0
    assert edit_score(video("---"), video("aa-")) == 0.0


LABELS = st.text("ab-", min_size=1, max_size=12)


@given(LABELS, st.data())
def test_the_edit_distance_is_levenshteins(true: str, data: st.DataObject) -> None:
    said = data.draw(st.text("ab-", min_size=len(true), max_size=len(true)))

    def order(labels: str) -> str:
        return "".join(label for i, label in enumerate(labels) if label != "-" and labels[i - 1 : i] != label)

    @lru_cache(None)
    def distance(one: str, other: str) -> int:
        if not one or not other:
            return len(one) + len(other)
        same = distance(one[1:], other[1:]) + (one[0] != other[0])
        return min(same, distance(one[1:], other) + 1, distance(one, other[1:]) + 1)

    one, other = order(said), order(true)
    expected = 1 - distance(one, other) / max(len(one), len(other)) if one or other else None
    score = edit_score(video(said), video(true))
    assert score == (None if expected is None else pytest.approx(expected))
    assert found(video(true), video(true), 1.0) == (len(other),) * 3


@given(LABELS, st.floats(0.05, 1))
def test_more_overlap_finds_no_more(true: str, overlap: float) -> None:
    said = video(true[::-1])
    assert found(said, video(true), overlap)[0] <= found(said, video(true), 0.05)[0]
