"""The search: it finds what cross-checks better, leaves the usual where that might be chance, and is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.learning.calibration import Calibration
from espalier.learning.folds import deal
from espalier.learning.kernel import KernelClassifier
from espalier.learning.linear import LinearClassifier
from espalier.testing import check_classifier

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def unit(rows: NDArray[np.float64]) -> Rows:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def hot(labels: Labels) -> tuple[Rows, NDArray[np.bool_]]:
    targets = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
    return targets, np.ones(targets.shape, np.bool_)


def cross_fitted(classifier: LinearClassifier, rows: Rows, labels: Labels, *, exclusive: bool = True) -> Rows:
    targets, mask = hot(labels)
    groups = np.arange(len(labels))
    folds = deal(targets, mask, groups).rows
    return classifier.cross_fit(rows, targets, mask, groups, folds=folds, exclusive=exclusive, seed=0)


def blobs(seed: int, noise: float, rows: int = 300, dim: int = 200) -> tuple[Rows, Labels]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rows)
    return unit(rng.normal(size=(3, dim))[labels] + noise * rng.normal(size=(rows, dim))), labels


def quarters(seed: int, rows: int = 600) -> tuple[Rows, Labels]:
    """A circle of which opposite quarters show the same option: no line parts them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, rows)
    angle = (rng.integers(0, 2, rows) * 2 + labels + rng.uniform(0.05, 0.95, rows)) * np.pi / 2
    return unit(np.stack([np.cos(angle), np.sin(angle), np.ones(rows)], axis=1)), labels


def digits() -> tuple[Rows, Labels]:
    data = load_digits()
    return unit(data.data), np.asarray(data.target, np.int64)


@pytest.mark.parametrize("kind", [LinearClassifier, KernelClassifier])
def test_the_contract_is_kept(kind: type[LinearClassifier]) -> None:
    check_classifier(kind)


def test_noise_is_met_with_little_strength() -> None:
    rows, labels = blobs(0, noise=6.0)
    searched, fixed = LinearClassifier(), LinearClassifier(search=False)
    scores, plain = cross_fitted(searched, rows, labels), cross_fitted(fixed, rows, labels)
    assert searched.parameters["strength"] < 30
    assert fixed.parameters == {"features": "linear", "strength": 30.0}
    assert loss(scores, labels) < loss(plain, labels)


def loss(scores: Rows, labels: Labels) -> float:
    """Log-loss after the calibration that follows."""
    targets, mask = hot(labels)
    calibrated = Calibration.of(scores, targets, mask, exclusive=True)(scores)
    return float(-np.log(calibrated[targets > 0]).mean())


@pytest.mark.parametrize("seed", range(4))
def test_where_the_difference_might_be_chance_the_usual_stands(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, labels = blobs(seed, noise=0.4, rows=60)
    classifier = KernelClassifier()
    cross_fitted(classifier, rows, labels)
    assert classifier.parameters["features"] == "linear"
    few = KernelClassifier()
    cross_fitted(few, rows[:20], rng.permutation(np.arange(20) % 2))
    assert few.parameters == {"features": "linear", "strength": 30.0}, "20 rows say nothing"


def test_what_a_person_gives_is_not_searched() -> None:
    rows, labels = blobs(0, noise=6.0)
    classifier = LinearClassifier(strength=77)
    cross_fitted(classifier, rows, labels)
    assert classifier.parameters["strength"] == 77


def test_fit_keeps_what_cross_fit_chose_and_else_chooses_itself() -> None:
    rows, labels = blobs(0, noise=6.0)
    targets, mask = hot(labels)
    classifier = LinearClassifier()
    cross_fitted(classifier, rows, labels)
    chosen, before = classifier.parameters, classifier.predict(rows)
    classifier.fit(rows[:50], targets[:50], mask[:50], np.arange(50), exclusive=True, seed=0)
    assert classifier.parameters == chosen
    fresh = LinearClassifier()
    fresh.fit(rows, targets, mask, np.arange(len(rows)), exclusive=True, seed=0)
    assert fresh.parameters == chosen
    np.testing.assert_allclose(fresh.predict(rows), before, atol=0.02)


def test_the_search_goes_by_the_groups_it_is_given() -> None:
    """Every row four times over: told apart, they say that the rows can be learned by heart."""
    rows, labels = blobs(0, noise=4.0, rows=120)
    copies, told = np.repeat(rows, 4, axis=0), np.repeat(labels, 4)
    targets, mask = hot(told)
    grouped, naive = LinearClassifier(), LinearClassifier()
    grouped.fit(copies, targets, mask, np.repeat(np.arange(120), 4), exclusive=True, seed=0)
    naive.fit(copies, targets, mask, np.arange(480), exclusive=True, seed=0)
    assert grouped.parameters["strength"] < naive.parameters["strength"]


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "independent"])
def test_what_no_line_parts_is_told_by_likeness(exclusive: bool) -> None:
    rows, labels = quarters(0)
    test, wanted = quarters(1)
    right = {}
    for kind in (LinearClassifier, KernelClassifier):
        classifier = kind()
        unseen = cross_fitted(classifier, rows, labels, exclusive=exclusive)
        right[kind] = float((classifier.predict(test).argmax(axis=1) == wanted).mean())
        if kind is KernelClassifier:
            assert classifier.parameters["features"] == "kernel"
            assert abs(float((unseen.argmax(axis=1) == labels).mean()) - right[kind]) < 0.04, "cross-checks do not lie"
    assert right[KernelClassifier] > 0.95 > right[LinearClassifier] + 0.2


def test_plain_pixels_are_told_as_well_as_by_their_nearest() -> None:
    rows, labels = digits()
    order = np.random.default_rng(0).permutation(len(rows))
    known, test = order[:1200], order[1200:]
    classifier = KernelClassifier()
    cross_fitted(classifier, rows[known], labels[known])
    nearest = KNeighborsClassifier(5, metric="cosine").fit(rows[known], labels[known])
    right = float((classifier.predict(rows[test]).argmax(axis=1) == labels[test]).mean())
    assert right >= float(nearest.score(rows[test], labels[test])) - 0.005


def test_more_rows_than_landmarks(tmp_path: Path) -> None:
    rows, labels = quarters(0, rows=2_600)
    classifier = KernelClassifier()
    cross_fitted(classifier, rows, labels)
    assert classifier.kernel is not None
    assert len(classifier.kernel.landmarks) == 512
    test, wanted = quarters(1)
    assert float((classifier.predict(test).argmax(axis=1) == wanted).mean()) > 0.95
    classifier.save(tmp_path)
    loaded = KernelClassifier.load(tmp_path)
    np.testing.assert_array_equal(classifier.predict(test), loaded.predict(test))
    assert loaded.parameters == classifier.parameters
    with pytest.raises(ValueError, match="fitted on 3 dimensions, got 4"):
        loaded.predict(np.zeros((1, 4), np.float32))


def test_a_sample_of_many_rows_does_not_ask_for_more_strength_than_usual() -> None:
    """Few rows of clear options are best learned by heart; what many rows want is less, and little is lost by it."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 3_000)
    rows = unit(rng.normal(size=(4, 30))[labels] + 0.3 * rng.normal(size=(3_000, 30)))
    some, many = LinearClassifier(), LinearClassifier()
    cross_fitted(some, rows[:900], labels[:900])
    cross_fitted(many, rows, labels)
    assert some.parameters["strength"] == 100
    assert many.parameters["strength"] <= 30


def test_choices_are_saved(tmp_path: Path) -> None:
    rows, labels = blobs(0, noise=6.0)
    classifier = LinearClassifier()
    assert classifier.parameters == {}
    cross_fitted(classifier, rows, labels)
    classifier.save(tmp_path)
    loaded = LinearClassifier.load(tmp_path)
    assert loaded.parameters == classifier.parameters
    targets, mask = hot(labels)
    loaded.fit(rows, targets, mask, np.arange(len(rows)), exclusive=True, seed=0)
    assert loaded.parameters == classifier.parameters
