"""A few examples for and against find the others of their kind, and better than their mean alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.similarity.examples import direction

Floats = NDArray[np.float32]


def units(rows: int, dim: int = 16, seed: int = 0) -> Floats:
    found = np.random.default_rng(seed).normal(size=(rows, dim))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def test_one_positive_alone_is_the_direction() -> None:
    assert np.array_equal(direction(units(1), units(0), units(50, seed=1), seed=0), units(1)[0])


def test_examples_for_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        direction(units(0), units(2), units(5), seed=0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 6), st.integers(0, 30), st.integers(0, 99))
def test_a_direction_has_norm_1_and_is_the_same_again(p: int, q: int, b: int, seed: int) -> None:
    given_rows = units(p, seed=seed), units(q, seed=seed + 1), units(b, seed=seed + 2)
    found = direction(*given_rows, seed=0)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(found, direction(*given_rows, seed=0))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_positives_lie_nearer_than_negatives(p: int, q: int, seed: int) -> None:
    positives, negatives = units(p, dim=64, seed=seed), units(q, dim=64, seed=seed + 1000)
    found = direction(positives, negatives, units(40, dim=64, seed=seed + 2000), seed=0)
    assert (positives @ found).mean() > (negatives @ found).mean()


def test_an_example_that_is_for_and_against_still_gives_a_direction() -> None:
    assert np.linalg.norm(direction(units(1), units(1), units(0), seed=0)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("p", "q"), [(2, 0), (3, 0), (5, 0), (1, 3), (3, 3), (5, 5)])
def test_digits_are_found_at_least_as_well_as_by_the_mean(
    digits: tuple[Floats, NDArray[np.int64]], p: int, q: int
) -> None:
    rows, labels = digits
    ours: list[float] = []
    means: list[float] = []
    for digit in range(10):
        rng = np.random.default_rng(digit)
        positives = rng.choice(np.flatnonzero(labels == digit), p, replace=False)
        mean = rows[positives].mean(axis=0)
        # As a person marks them: the first wrong ones among what was found.
        ranked = np.argsort(-rows @ mean)
        negatives = ranked[labels[ranked] != digit][:q]
        background = rows[rng.choice(len(rows), 500, replace=False)]
        for towards, told in ((direction(rows[positives], rows[negatives], background, seed=0), ours), (mean, means)):
            scores = rows @ towards
            scores[[*positives, *negatives]] = -np.inf
            told.append(float((labels[np.argsort(-scores)[:20]] == digit).mean()))
    print(f"{p} for, {q} against: precision of the first 20 {np.mean(ours):.3f}, by the mean {np.mean(means):.3f}")
    assert np.mean(ours) > np.mean(means) - 0.05
    assert np.mean(ours) > 0.9
