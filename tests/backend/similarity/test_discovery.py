"""A class of which nothing is labeled is proposed first, and nothing that is labeled is proposed at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.similarity.discovery import discover

Labeled = tuple[NDArray[np.float32], NDArray[np.int64]]


def held_out(labels: NDArray[np.int64], one: int, labeled: int) -> NDArray[np.int64]:
    """Some of all other classes are labeled."""
    known = np.full(len(labels), -1)
    some = np.random.default_rng(one).choice(np.flatnonzero(labels != one), labeled, replace=False)
    known[some] = labels[some]
    return known


def test_a_digit_that_nobody_labeled_is_proposed_first(digits: Labeled) -> None:
    rows, labels = digits
    purity, typical = [], []
    for digit in range(10):
        known = held_out(labels, digit, 300)
        first = discover(rows, known, known < 0)[0]
        purity.append((labels[first.rows] == digit).mean())
        typical.append((labels[first.rows[:5]] == digit).mean())
    print(
        f"of the first proposal {np.mean(purity):.0%} are of the class held out, "
        f"of its most typical {np.mean(typical):.0%}"
    )
    assert np.mean(purity) > 0.9
    assert np.mean(typical) > 0.95


def test_a_kind_of_photograph_that_nobody_labeled_is_proposed(coarse: Labeled) -> None:
    """By histograms of colours and gradients, which tell these kinds apart but badly."""
    rows, labels = coarse
    best = []
    for kind in range(5):
        known = held_out(labels, kind, 130)
        best.append(max((labels[one.rows] == kind).mean() for one in discover(rows, known, known < 0)[:3]))
    print(f"of the best of three proposals {np.mean(best):.0%} are of the class held out; by chance {1 / 5 + 0.07:.0%}")
    assert np.mean(best) > 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 80), st.integers(0, 3), st.integers(0, 99))
def test_only_unknown_rows_are_proposed_and_each_once(n: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(n, 6))
    rows = np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)
    known = rng.integers(-1, classes, size=n) if classes else np.full(n, -1)
    unknown = (known < 0) & (rng.random(n) < 0.8)
    found = discover(rows, known, unknown)
    proposed = np.concatenate([np.zeros(0, np.int64), *(one.rows for one in found)])
    assert len(np.unique(proposed)) == len(proposed)
    assert unknown[proposed].all()
    assert [one.strangeness for one in found] == sorted((one.strangeness for one in found), reverse=True)
    for one in found:
        assert (np.diff(one.typical) <= 0).all()
        assert -1 <= one.cohesion <= 1
        assert 0 <= one.strangeness <= 1
        assert one.nearest in (set(known[known >= 0].tolist()) or {-1})


def test_the_nearest_known_class_is_told(digits: Labeled) -> None:
    rows, labels = digits
    known = np.where(np.isin(labels, (3, 1)), labels, -1)
    known[labels == 9] = -1
    unknown = labels == 9
    found = discover(rows, known, unknown)
    assert found[0].nearest == 3
    assert found[0].likeness == pytest.approx(max(one.likeness for one in found), abs=0.5)
