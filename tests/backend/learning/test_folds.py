"""Folds: no group on both sides, every option in several folds where that can be, and the exceptions said aloud."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.learning.folds import deal, join_duplicates


def eye(labels: NDArray[np.int64], options: int) -> NDArray[np.float32]:
    return np.asarray(np.eye(options, dtype=np.float32)[labels])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 80), st.integers(1, 5), st.integers(1, 30))
def test_groups_stay_together_unless_an_option_has_only_one(seed: int, n: int, options: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    targets = eye(rng.integers(0, options, n), options)
    mask = np.ones_like(targets, np.bool_)
    folds = deal(targets, mask, group, seed=seed)
    assert folds.rows.min() >= 0
    assert folds.rows.max() < folds.count
    if not folds.note:
        for each in np.unique(group):
            assert len(np.unique(folds.rows[group == each])) == 1
    assert np.array_equal(folds.rows, deal(targets, mask, group, seed=seed).rows)


def test_options_are_spread_evenly() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    rng.shuffle(labels)
    targets = eye(labels, 3)
    folds = deal(targets, np.ones_like(targets, np.bool_), np.arange(1000))
    counts = np.stack([np.bincount(folds.rows[labels == option], minlength=5) for option in range(3)])
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()
    assert folds.note == ""


def test_one_video_alone_is_cut_into_stretches_and_says_so() -> None:
    labels = np.repeat([0, 1], 50)
    targets = eye(labels, 2)
    folds = deal(targets, np.ones_like(targets, np.bool_), np.zeros(100, np.int64))
    assert "one media only" in folds.note
    for option in (0, 1):
        rows = folds.rows[labels == option]
        assert len(np.unique(rows)) == 5
        assert (np.diff(rows) != 0).sum() == 4, "stretches of time, not single frames"


def test_an_option_of_one_video_among_many_is_cut_too() -> None:
    group = np.repeat(np.arange(10), 20)
    labels = (group == 3).astype(np.int64)
    targets = eye(labels, 2)
    folds = deal(targets, np.ones_like(targets, np.bool_), group)
    assert len(np.unique(folds.rows[labels == 1])) > 1
    for other in (0, 1, 2, 4, 9):
        assert len(np.unique(folds.rows[group == other])) == 1


def test_a_single_row_and_no_row_are_one_fold() -> None:
    for n in (0, 1):
        folds = deal(np.ones((n, 1), np.float32), np.ones((n, 1), np.bool_), np.zeros(n, np.int64))
        assert folds.count == 1
        assert len(folds.rows) == n


def test_near_duplicates_share_a_group() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(200, 32)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    embeddings[100:150] = embeddings[:50] + rng.normal(size=(50, 32)).astype(np.float32) * 1e-3
    joined = join_duplicates(embeddings, np.arange(200))
    assert (joined[100:150] == joined[:50]).all()
    assert len(np.unique(joined)) == 150


def test_duplicates_of_duplicates_share_one_group() -> None:
    embeddings = np.eye(8, dtype=np.float32)[[0, 0, 1, 1, 2, 3]]
    groups = np.array([5, 6, 6, 7, 8, 9])
    joined = join_duplicates(embeddings, groups)
    assert len(np.unique(joined[:4])) == 1
    assert len(np.unique(joined)) == 3


def test_constant_embeddings_join_nothing() -> None:
    assert len(np.unique(join_duplicates(np.ones((20, 4), np.float32), np.arange(20)))) == 20
