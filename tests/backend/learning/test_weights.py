"""Weights: an answer counts as much as it weighs, and rare options are found when they count more."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.contract import EncoderRequest
from espalier.learning.calibration import Calibration
from espalier.learning.cutoffs import answered, best_f1
from espalier.learning.folds import deal
from espalier.learning.kernel import KernelClassifier
from espalier.learning.linear import LinearClassifier
from espalier.media.picture import read_picture
from espalier_classic import ClassicEncoder

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]
EXCLUSIVE = pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "independent"])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def unit(rows: NDArray[np.float64]) -> Rows:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def rare(seed: int = 0, rows: int = 400) -> tuple[Rows, Rows]:
    """Three options, of which the last holds once in twenty; they overlap."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, rows, p=[0.55, 0.4, 0.05])
    return unit(np.eye(3, 8)[labels] + 0.6 * rng.normal(size=(rows, 8))), np.eye(3, dtype=np.float32)[labels]


def fitted(rows: Rows, targets: Rows, weights: Rows | None, *, exclusive: bool) -> LinearClassifier:
    classifier = LinearClassifier(strength=10)
    mask = np.ones(targets.shape, np.bool_)
    classifier.fit(rows, targets, mask, np.arange(len(rows)), exclusive=exclusive, seed=0, weights=weights)
    return classifier


@EXCLUSIVE
def test_weights_of_one_are_none(exclusive: bool) -> None:
    rows, targets = rare()
    plain = fitted(rows, targets, None, exclusive=exclusive)
    same = fitted(rows, targets, np.ones_like(targets), exclusive=exclusive)
    np.testing.assert_array_equal(plain.predict(rows), same.predict(rows))


@EXCLUSIVE
def test_what_weighs_nothing_is_not_learned_from(exclusive: bool) -> None:
    rows, targets = rare()
    weights = np.ones_like(targets)
    weights[:150] = 0
    wrong = targets.copy()
    wrong[:150] = 1 - wrong[:150] if not exclusive else np.roll(wrong[:150], 1, axis=1)
    without = fitted(rows[150:], targets[150:], None, exclusive=exclusive).predict(rows)
    np.testing.assert_allclose(fitted(rows, wrong, weights, exclusive=exclusive).predict(rows), without, atol=1e-6)


@EXCLUSIVE
def test_twice_the_weight_is_twice_the_rows(exclusive: bool) -> None:
    rows, targets = rare()
    weights = np.ones_like(targets)
    weights[:100] = 2
    twice = np.concatenate([rows, rows[:100]]), np.concatenate([targets, targets[:100]])
    weighted = fitted(rows, targets, weights, exclusive=exclusive).predict(rows)
    np.testing.assert_allclose(weighted, fitted(*twice, None, exclusive=exclusive).predict(rows), atol=0.05)


def test_independent_cells_weigh_on_their_own() -> None:
    rows, targets = rare()
    weights = np.ones_like(targets)
    weights[:, 2] = np.where(targets[:, 2] > 0, 19, 1)
    plain, weighted = (fitted(rows, targets, given, exclusive=False).predict(rows) for given in (None, weights))
    np.testing.assert_allclose(weighted[:, :2], plain[:, :2], atol=0.02)
    assert weighted[:, 2].mean() > 3 * plain[:, 2].mean()


def test_scores_follow_the_weighted_frequencies() -> None:
    rows, targets = rare()
    weights = np.tile(1 / (3 * targets.mean(axis=0)), (len(rows), 1)).astype(np.float32)
    plain, weighted = (fitted(rows, targets, given, exclusive=True).predict(rows) for given in (None, weights))
    np.testing.assert_allclose(plain.mean(axis=0), targets.mean(axis=0), atol=0.02)
    held = (weights * targets).max(axis=1)
    np.testing.assert_allclose(np.average(weighted, axis=0, weights=held), np.full(3, 1 / 3), atol=0.02)


@EXCLUSIVE
def test_a_fold_is_weighted_as_the_whole(exclusive: bool) -> None:
    rows, targets = rare()
    folds = np.arange(len(rows)) % 3
    weights = np.where(targets > 0, np.float32(5), np.float32(1))
    mask = np.ones(targets.shape, np.bool_)
    classifier = LinearClassifier(strength=10)
    unseen = classifier.cross_fit(rows, targets, mask, folds, folds=folds, exclusive=exclusive, seed=0, weights=weights)
    outside = folds != 1
    alone = fitted(rows[outside], targets[outside], weights[outside], exclusive=exclusive)
    np.testing.assert_allclose(unseen[~outside], alone.predict(rows[~outside]), atol=0.05)


@EXCLUSIVE
@pytest.mark.parametrize("kind", [LinearClassifier, KernelClassifier])
def test_rows_of_which_nothing_is_said_are_scored_like_all_others(
    kind: type[LinearClassifier], exclusive: bool
) -> None:
    """Two folds hold nothing else: their rows get the scores of all that was said."""
    rows, targets = rare()
    rng = np.random.default_rng(1)
    folds = rng.integers(0, 5, len(rows))
    mask = np.repeat((rng.random(len(rows)) > 0.4)[:, None] & np.isin(folds, (0, 2, 3))[:, None], 3, axis=1)
    said = mask.any(axis=1)
    classifier, alone = kind(), kind()
    scores = classifier.cross_fit(
        rows, np.where(mask, targets, 7), mask, folds, folds=folds, exclusive=exclusive, seed=0
    )
    np.testing.assert_allclose(scores[folds == 1], classifier.predict(rows[folds == 1]), atol=1e-6)
    np.testing.assert_allclose(scores[folds == 4], classifier.predict(rows[folds == 4]), atol=1e-6)
    among = alone.cross_fit(
        rows[said], targets[said], mask[said], folds[said], folds=folds[said], exclusive=exclusive, seed=0
    )
    np.testing.assert_allclose(scores[said], among, atol=1e-5)
    for fold in (0, 2, 3):
        silent, of_fold = (folds == fold) & ~said, said & (folds != fold)
        apart = kind(strength=classifier.parameters["strength"])
        apart.choice = classifier.choice
        apart.fit(rows[of_fold], targets[of_fold], mask[of_fold], folds[of_fold], exclusive=exclusive, seed=0)
        np.testing.assert_allclose(scores[silent], apart.predict(rows[silent]), atol=0.06)


@EXCLUSIVE
def test_learning_can_be_watched(exclusive: bool) -> None:
    rows, targets = rare()
    mask, groups = np.ones(targets.shape, np.bool_), np.arange(len(rows))
    classifier, plain = LinearClassifier(), LinearClassifier()
    seen = list(classifier.fit_steps(rows, targets, mask, groups, rows[:50], exclusive=exclusive, seed=0))
    plain.fit(rows, targets, mask, groups, exclusive=exclusive, seed=0)
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
    assert numbers[:3] == [0, 1, 2]
    assert {scores.shape for _, scores in seen} == {(50, 3)}
    np.testing.assert_allclose(seen[0][1], np.tile(targets.mean(axis=0), (50, 1)), atol=0.01)
    np.testing.assert_allclose(seen[-1][1], plain.predict(rows[:50]), atol=0.03)
    np.testing.assert_array_equal(seen[-1][1], classifier.predict(rows[:50]))
    right = [float((scores.argmax(axis=1) == targets[:50].argmax(axis=1)).mean()) for _, scores in seen]
    assert right[-1] > right[0] + 0.2


def test_class_weights_raise_macro_f1_on_an_imbalanced_set(shared: Callable[[str], Path]) -> None:
    """Traffic lights, yellow 44 times in 1484, a tenth of the set to learn from; by the greatest score, and by
    cutoffs that were chosen for F1 (which decide nearly the same)."""
    folder = shared("data/images/traffic_light_imbalanced")
    with (folder / "labels.csv").open() as file:
        listed = list(csv.DictReader(file))
    labels = np.unique([row["label"] for row in listed], return_inverse=True)[1]
    encoder = ClassicEncoder.open(EncoderRequest())
    pictures = (read_picture(folder / row["filename"], encoder.spec.input_size)[None] for row in listed)
    embeddings = np.concatenate([encoder.encode(picture) for picture in pictures])
    gains: dict[str, list[float]] = {"greatest": [], "cutoffs": []}
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(labels))
        test, known = order[:600], order[600:748]
        targets = np.eye(3, dtype=np.float32)[labels[known]]
        mask = np.ones(targets.shape, np.bool_)
        folds = deal(targets, mask, known, seed=seed).rows
        balanced = len(known) / (3 * np.maximum(1, targets.sum(axis=0)))
        reached = []
        for weights in (None, np.tile(balanced, (len(known), 1)).astype(np.float32)):
            classifier = LinearClassifier()
            unseen = classifier.cross_fit(
                embeddings[known], targets, mask, known, folds=folds, exclusive=True, seed=0, weights=weights
            )
            calibration = Calibration.of(unseen, targets, mask, exclusive=True)
            cutoffs = best_f1(calibration(unseen), targets, mask, exclusive=True)
            scores = calibration(classifier.predict(embeddings[test]))
            given = answered(scores, cutoffs, exclusive=True)
            wanted = np.eye(3, dtype=np.bool_)[labels[test]]
            reached.append(
                (
                    f1_score(labels[test], scores.argmax(axis=1), average="macro"),
                    f1_score(wanted, given, average="macro", zero_division=0),
                )
            )
        gains["greatest"].append(reached[1][0] - reached[0][0])
        gains["cutoffs"].append(reached[1][1] - reached[0][1])
    for how, gained in gains.items():
        assert np.mean(gained) > 0.02, how
        assert min(gained) > -0.02, how
