"""Frames are sets: what holds for sets of numbers holds for them."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from espalier_ontology.frames import Frames

NUMBERS = st.sets(st.integers(0, 40))
SETS = NUMBERS.map(Frames.at)


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        pytest.param([], (), id="nothing"),
        pytest.param([(3, 3)], (), id="an empty range is left out"),
        pytest.param([(0, 2), (2, 4)], ((0, 4),), id="touching ranges become one"),
        pytest.param([(5, 9), (0, 6)], ((0, 9),), id="overlapping ranges in any order"),
        pytest.param([(0, 9), (2, 3)], ((0, 9),), id="a range inside another"),
        pytest.param([(0, 1), (2, 3)], ((0, 1), (2, 3)), id="ranges apart stay apart"),
    ],
)
def test_union_of_ranges(ranges: list[tuple[int, int]], expected: tuple[tuple[int, int], ...]) -> None:
    assert Frames.of(*ranges).ranges == expected


@pytest.mark.parametrize(
    "ranges",
    [
        pytest.param(((-1, 2),), id="negative"),
        pytest.param(((2, 2),), id="empty"),
        pytest.param(((0, 2), (2, 3)), id="touching"),
        pytest.param(((4, 5), (0, 1)), id="unsorted"),
    ],
)
def test_the_constructor_refuses_what_is_not_in_normal_form(ranges: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="range"):
        Frames(ranges)


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="end before it starts"):
        Frames.of((5, 2))


@given(NUMBERS, NUMBERS)
def test_the_algebra_is_that_of_sets(one: set[int], other: set[int]) -> None:
    assert set(Frames.at(one) | Frames.at(other)) == one | other
    assert set(Frames.at(one) & Frames.at(other)) == one & other
    assert set(Frames.at(one) - Frames.at(other)) == one - other
    assert set(Frames.at(one).complement(30)) == set(range(30)) - one
    assert len(Frames.at(one)) == len(one)
    assert [index in Frames.at(one) for index in range(42)] == [index in one for index in range(42)]


@given(SETS, SETS, SETS)
def test_boolean_laws(one: Frames, two: Frames, three: Frames) -> None:
    assert one | two == two | one
    assert one & two == two & one
    assert one & (two | three) == (one & two) | (one & three)
    assert one | (two & three) == (one | two) & (one | three)
    assert (one | two).complement(50) == one.complement(50) & two.complement(50)
    assert one.complement(50).complement(50) == one
    assert one - two == one & two.complement(50)
    assert (one - two) | (one & two) == one


@given(st.lists(st.booleans(), max_size=40))
def test_a_mask_comes_back(mask: list[bool]) -> None:
    assert Frames.from_mask(mask).to_mask(len(mask)) == mask


@given(SETS, st.integers(0, 40))
def test_a_short_mask_leaves_out_what_is_past_it(frames: Frames, length: int) -> None:
    assert Frames.from_mask(frames.to_mask(length)) == frames & Frames.of((0, length))


@given(SETS, st.integers(1, 9))
def test_samples_hold_for_all_that_they_were_taken_from(frames: Frames, stride: int) -> None:
    samples = frames.every(stride)
    assert samples - frames == Frames()
    assert samples.hold(stride, frames) == frames


def test_a_stride_starts_anew_in_every_range() -> None:
    assert list(Frames.of((0, 5), (11, 15)).every(3)) == [0, 3, 11, 14]
    with pytest.raises(ValueError, match="stride"):
        Frames.at([1]).every(0)
