"""A cluster is named by what is more common in it than elsewhere, and not by what is common everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from espalier.labeling.clustering import clusters
from espalier.similarity.cluster_names import ClusterName, cluster_names

Labeled = tuple[NDArray[np.float32], NDArray[np.int64]]


def test_clusters_of_digits_are_named_by_their_digit(digits: Labeled) -> None:
    rows, labels = digits
    member = clusters(rows, 10)
    asked = np.random.default_rng(0).random(len(rows)) < 0.2
    holds = np.eye(10, dtype=np.bool_)[labels]
    names = cluster_names(member, holds, np.repeat(asked[:, None], 10, axis=1))
    right = 0
    for cluster, name in names.items():
        counts = np.bincount(labels[member == cluster], minlength=10)
        right += int(counts.argmax() == name.option)
        assert abs(name.share - counts[name.option] / counts.sum()) < 0.25
    print(f"of 10 clusters {len(names)} have a name, {right} the right one")
    assert right >= 9


def test_what_holds_everywhere_names_nothing() -> None:
    member = np.repeat([0, 1], 50)
    holds = np.ones((100, 2), np.bool_)
    holds[:, 1] = member == 1
    names = cluster_names(member, holds, np.ones((100, 2), np.bool_))
    assert names == {1: ClusterName(1, 1.0, 0.5)}


def test_what_was_not_asked_does_not_count() -> None:
    member = np.repeat([0, 1, -1], 20)
    holds = (member == 0)[:, None]
    asked = np.zeros((60, 1), np.bool_)
    assert cluster_names(member, holds, asked) == {}
    asked[::2] = True
    assert cluster_names(member, holds, asked)[0].share == 1.0


def test_one_label_is_no_name() -> None:
    member = np.repeat([0, 1], 50)
    holds = np.zeros((100, 1), np.bool_)
    holds[3] = True
    assert cluster_names(member, holds, np.ones((100, 1), np.bool_)) == {}
