"""A map keeps what is alike together, is the same again, and lies within its frame."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from espalier.similarity.projection import METHODS, Method, has_umap, projection

Labeled = tuple[NDArray[np.float32], NDArray[np.int64]]


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Method:
    if request.param == "umap" and not has_umap():
        pytest.skip("umap-learn is not installed (the extra `umap`)")
    found: Method = request.param
    return found


def test_neighbours_on_the_map_are_neighbours(digits: Labeled, method: Method) -> None:
    rows, labels = digits[0][:600], digits[1][:600]
    points = projection(rows, method)
    trust = trustworthiness(rows, points, n_neighbors=10)
    alike = KNeighborsClassifier(6).fit(points, labels).score(points, labels)
    print(f"{method}: trustworthiness {trust:.3f}, nearest on the map of the same digit {alike:.3f}")
    assert trust > {"pca": 0.78, "umap": 0.95}[method]
    assert alike > {"pca": 0.5, "umap": 0.85}[method]
    assert points.dtype == np.float32
    assert np.abs(points).max() <= 1
    assert np.array_equal(projection(rows[:100], method), projection(rows[:100], method))


def test_rows_that_the_map_was_not_learned_from_come_to_lie_with_theirs(digits: Labeled) -> None:
    if not has_umap():
        pytest.skip("umap-learn is not installed (the extra `umap`)")
    rows, labels = digits[0][:500], digits[1][:500]
    points = projection(rows, "umap", most=300)
    assert KNeighborsClassifier(6).fit(points, labels).score(points, labels) > 0.8


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8])
def test_few_rows_have_a_map(n: int, method: Method) -> None:
    points = projection(np.eye(12, dtype=np.float32)[:n], method)
    assert points.shape == (n, 2)
    assert np.isfinite(points).all()


def test_equal_rows_lie_in_one_place() -> None:
    assert np.ptp(projection(np.full((5, 4), 0.5, np.float32), "pca"), axis=0).max() == pytest.approx(0, abs=1e-3)
