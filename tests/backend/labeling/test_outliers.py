"""What does not belong among the rows of an option is named; what is usual there is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from espalier.labeling.outliers import outliers

Floats = NDArray[np.float32]


def digits() -> tuple[Floats, Floats]:
    """Zeros, ones and twos; the first seven rows, a three to a nine, are said to be zeros."""
    data = load_digits()
    pixels = data.data / np.linalg.norm(data.data, axis=1, keepdims=True)
    rows = np.flatnonzero(data.target < 3)
    strange = np.array([np.flatnonzero(data.target == digit)[0] for digit in range(3, 10)])
    labels = np.r_[np.zeros(7, np.int64), data.target[rows]]
    return pixels[np.r_[strange, rows]].astype(np.float32), np.eye(3, dtype=np.float32)[labels]


def test_other_digits_among_zeros_stand_out() -> None:
    embeddings, targets = digits()
    found = outliers(embeddings, targets, np.ones(targets.shape, np.bool_))
    strange = np.arange(len(embeddings)) < 7
    named = np.asarray(found.named.any(axis=1))
    print(f"recall {named[strange].mean():.2f}, of the others {named[~strange].mean():.3f} named")
    assert named[strange].mean() >= 0.7
    assert named[~strange].mean() < 0.04
    assert found.score[strange, 0].min() > np.median(found.score[~strange].max(axis=1))
    assert found.ranked[0, 1] == 0
    assert found.named[tuple(found.ranked.T)].all()
    assert len(found.ranked) == found.named.sum()


def test_scores_are_nothing_where_the_option_is_not_said() -> None:
    embeddings, targets = digits()
    mask = np.ones(targets.shape, np.bool_)
    mask[:50] = False
    found = outliers(embeddings, targets, mask)
    assert (found.score[:50] == 0).all()
    assert (found.score[targets < 0.5] == 0).all()
    assert found.score.max() <= 1


@pytest.mark.parametrize("rows", [0, 1, 4], ids=["none", "one", "four"])
def test_of_few_rows_nothing_is_said(rows: int) -> None:
    embeddings, targets = digits()
    found = outliers(embeddings[:rows], targets[:rows], targets[:rows] < 2)
    assert not found.named.any()
    assert (found.score == 0).all()


def test_frames_of_one_media_do_not_vouch_for_each_other() -> None:
    embeddings, targets = digits()
    embeddings[:7] = embeddings[0]  # seven equal frames of one strange clip
    mask = np.ones(targets.shape, np.bool_)
    groups = np.arange(len(embeddings))
    alone = outliers(embeddings, targets, mask, groups=groups).named[:7, 0]
    groups[:7] = 0
    assert not alone.any()
    assert outliers(embeddings, targets, mask, groups=groups).named[:7, 0].all()
