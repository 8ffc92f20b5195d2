"""Clusters by density are pure, named by size, the same again, and hold where most rows join later."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.similarity import density as module
from espalier.similarity.density import by_size, density_clusters

Labeled = tuple[NDArray[np.float32], NDArray[np.int64]]


def purity(member: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    inside = member >= 0
    most = [np.bincount(labels[member == one]).max() for one in range(int(member.max()) + 1)]
    return float(sum(most) / inside.sum())


def test_clusters_of_digits_are_of_one_digit_each(digits: Labeled) -> None:
    rows, labels = digits
    member = density_clusters(rows)
    print(f"{member.max() + 1} clusters, {(member >= 0).mean():.0%} in one, purity {purity(member, labels):.3f}")
    assert purity(member, labels) > 0.9
    assert member.max() >= 9
    assert (member >= 0).mean() > 0.5
    assert (np.diff(np.bincount(member[member >= 0])) <= 0).all()
    assert np.array_equal(member, density_clusters(rows))


def test_rows_that_were_not_looked_at_join_the_clusters(digits: Labeled, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = digits
    monkeypatch.setattr(module, "_MOST", 900)
    member = density_clusters(rows)
    assert purity(member, labels) > 0.9
    assert (member >= 0).mean() > 0.4


@pytest.mark.parametrize("n", [0, 1, 3, 4, 9])
def test_few_rows_are_no_matter(n: int) -> None:
    rows = np.eye(9, dtype=np.float32)[:n]
    assert density_clusters(rows).shape == (n,)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-1, 6), max_size=40))
def test_numbers_go_by_size_and_clusters_stay_together(member: list[int]) -> None:
    given_member = np.array(member, np.int64)
    found = by_size(given_member)
    assert ((found < 0) == (given_member < 0)).all()
    assert len({*zip(member, found.tolist(), strict=True)}) == len(set(member))
    sizes = np.bincount(found[found >= 0])
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()
