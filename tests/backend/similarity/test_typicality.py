"""Typical is what many are like; a picture of something else is the least typical."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.similarity.typicality import spread_out, typicality

Labeled = tuple[NDArray[np.float32], NDArray[np.int64]]


def test_digits_of_another_class_are_the_least_typical(digits: Labeled) -> None:
    rows, labels = digits
    ones, others = np.flatnonzero(labels == 0), np.flatnonzero(labels != 0)[:8]
    mixed = np.concatenate([ones, others])
    found = typicality(rows[mixed], np.arange(len(mixed)))
    least = mixed[np.argsort(found)[:8]]
    assert np.isin(least, others).sum() >= 7


def test_frames_of_one_video_do_not_make_each_other_typical() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 16)) + 3 * np.eye(16)[0]
    rows[40:] = 5 * np.eye(16)[1] + 0.01 * rng.normal(size=(20, 16))
    rows = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
    video = np.where(np.arange(60) >= 40, 40, np.arange(60))
    assert typicality(rows, np.arange(60))[40:].min() > typicality(rows, np.arange(60))[:40].max()
    assert typicality(rows, video)[40:].max() < np.median(typicality(rows, video)[:40])


def test_few_rows_have_a_typicality() -> None:
    rows = np.eye(3, dtype=np.float32)
    assert typicality(rows[:0], np.zeros(0, np.int64)).shape == (0,)
    assert typicality(rows[:1], np.zeros(1, np.int64)).tolist() == [1.0]
    assert typicality(rows, np.zeros(3, np.int64)).tolist() == pytest.approx([0, 0, 0])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 30), st.integers(1, 10), st.floats(-1, 1), st.integers(0, 99))
def test_spread_out_chooses_distinct_rows_in_order(n: int, count: int, alike: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(n, 3))
    rows = np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)
    ranked = rng.permutation(n)
    chosen = spread_out(rows, ranked, count, alike=alike)
    assert len(chosen) == min(count, n) == len(set(chosen.tolist()))
    if n:
        assert chosen[0] == ranked[0]
