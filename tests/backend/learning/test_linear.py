"""The linear classifier: as right as scikit-learn's, never NaN, and deaf to what is masked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.learning.features import Straight
from espalier.learning.kernel import KernelClassifier
from espalier.learning.linear import LinearClassifier


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def one_hot(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]


def all_said(rows: object, options: int) -> NDArray[np.bool_]:
    return np.ones((len(np.asarray(rows)), options), np.bool_)


def fitted(
    embeddings: NDArray[np.float32],
    targets: NDArray[np.float32],
    mask: NDArray[np.bool_] | None = None,
    *,
    exclusive: bool = True,
) -> LinearClassifier:
    classifier = LinearClassifier(search=False)
    said = np.ones(targets.shape, np.bool_) if mask is None else mask
    classifier.fit(embeddings, targets, said, np.arange(len(targets)), exclusive=exclusive, seed=0)
    return classifier


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine take minutes over what one does in a second."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("load", [load_digits, load_iris], ids=["digits", "iris"])
def test_it_is_as_right_as_scikit_learn(load: object) -> None:
    data = load()  # type: ignore[operator]
    embeddings, labels = unit(data.data), np.asarray(data.target)
    ours, reference = [], []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(labels))
        known, test = order[: len(order) * 7 // 10], order[len(order) * 7 // 10 :]
        spread = float(embeddings[known].var(axis=0).sum())
        model = LogisticRegression(C=15 / spread, max_iter=2000).fit(embeddings[known], labels[known])
        reference.append(float(model.score(embeddings[test], labels[test])))
        scores = fitted(embeddings[known], one_hot(labels[known])).predict(embeddings[test])
        ours.append(float((scores.argmax(axis=1) == labels[test]).mean()))
    assert np.mean(ours) >= np.mean(reference) - 0.005


def test_its_scores_are_those_of_the_same_penalised_problem() -> None:
    data = load_iris()
    embeddings, labels = unit(data.data), np.asarray(data.target)
    seen = Straight.of(embeddings, 0)(embeddings)
    reference = LogisticRegression(C=30, max_iter=5000, tol=1e-8).fit(seen, labels)
    classifier = LinearClassifier(strength=30)
    classifier.fit(embeddings, one_hot(labels), all_said(labels, 3), labels, exclusive=True, seed=0)
    np.testing.assert_allclose(classifier.predict(embeddings), reference.predict_proba(seen), atol=0.03)


def test_independent_options_are_fitted_one_by_one() -> None:
    rng = np.random.default_rng(0)
    embeddings = unit(rng.normal(size=(400, 16)))
    targets = np.stack([embeddings[:, 0] > 0, embeddings[:, 1] > 0.2], axis=1).astype(np.float32)
    together = fitted(embeddings, targets, exclusive=False).predict(embeddings)
    alone = fitted(embeddings, targets[:, :1], exclusive=False).predict(embeddings)
    assert float(((together > 0.5) == targets).mean()) > 0.95
    np.testing.assert_allclose(together[:, 0], alone[:, 0], atol=0.02)


DEGENERATE = {
    "one row": (np.ones((1, 4)), [[1, 0]]),
    "two rows": (np.eye(2, 4), [[1, 0], [0, 1]]),
    "one class only": (np.eye(4, 4), [[1, 0]] * 4),
    "one option": (np.eye(4, 4), [[1]] * 4),
    "one dimension": (np.array([[1.0], [-1.0], [1.0]]), [[1, 0], [0, 1], [1, 0]]),
    "duplicates that contradict": (np.ones((6, 4)), [[1, 0], [0, 1]] * 3),
    "constant embeddings": (np.full((5, 8), 0.3), [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]),
    "zero embeddings": (np.zeros((4, 3)), [[1, 0], [0, 1], [1, 0], [0, 1]]),
    "an option that never holds": (np.eye(4, 4), [[1, 0, 0], [0, 1, 0]] * 2),
    "nothing holds": (np.eye(4, 4), [[0, 0]] * 4),
    "more dimensions than rows": (np.eye(5, 300), [[1, 0], [0, 1], [1, 0], [0, 1], [0, 1]]),
}


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "independent"])
@pytest.mark.parametrize("masked", ["nothing masked", "a column masked", "all masked"])
@pytest.mark.parametrize("case", DEGENERATE)
def test_the_worst_data_still_gives_probabilities(case: str, masked: str, exclusive: bool) -> None:
    rows, told = DEGENERATE[case]
    embeddings, targets = unit(rows), np.array(told, np.float32)
    mask = np.ones(targets.shape, np.bool_)
    if masked == "a column masked":
        mask[:, 0] = False
    elif masked == "all masked":
        mask[:] = False
    classifier = LinearClassifier()
    folds = np.arange(len(targets)) % 2
    groups = np.arange(len(targets))
    unseen = classifier.cross_fit(embeddings, targets, mask, groups, folds=folds, exclusive=exclusive, seed=0)
    for scores in (unseen, classifier.predict(embeddings), classifier.predict(-embeddings)):
        assert scores.dtype == np.float32
        assert scores.shape == targets.shape
        assert np.isfinite(scores).all()
        assert scores.min() >= 0
        assert scores.max() <= 1
        if exclusive:
            np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_what_is_masked_changes_nothing(seed: int, exclusive: bool) -> None:
    rng = np.random.default_rng(seed)
    embeddings = unit(rng.normal(size=(30, 6)))
    targets = one_hot(rng.integers(0, 3, 30)) if exclusive else (rng.random((30, 3)) > 0.5).astype(np.float32)
    targets = np.resize(targets, (30, targets.shape[1]))
    mask = np.repeat(rng.random((30, 1)) > 0.3, targets.shape[1], axis=1) if exclusive else rng.random((30, 3)) > 0.3
    other = np.where(mask, targets, rng.random(targets.shape).astype(np.float32))
    first = fitted(embeddings, targets, mask, exclusive=exclusive).predict(embeddings)
    second = fitted(embeddings, other, mask, exclusive=exclusive).predict(embeddings)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "independent"])
def test_a_fold_is_scored_by_a_model_that_has_not_seen_it(exclusive: bool) -> None:
    rng = np.random.default_rng(3)
    embeddings, labels = unit(rng.normal(size=(240, 12))), rng.integers(0, 3, 240)
    targets, mask, folds = one_hot(labels), np.ones((240, 3), np.bool_), rng.integers(0, 4, 240)
    classifier = LinearClassifier(search=False)
    unseen = classifier.cross_fit(embeddings, targets, mask, folds, folds=folds, exclusive=exclusive, seed=0)
    for fold in range(4):
        outside = folds != fold
        alone = fitted(embeddings[outside], targets[outside], exclusive=exclusive)
        np.testing.assert_allclose(unseen[~outside], alone.predict(embeddings[~outside]), atol=0.04)
    assert abs(float((unseen.argmax(axis=1) == labels).mean()) - 1 / 3) < 0.12, "noise must not look learnable"
    final = fitted(embeddings, targets, exclusive=exclusive)
    np.testing.assert_allclose(classifier.predict(embeddings), final.predict(embeddings), atol=0.02)


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "independent"])
def test_what_is_saved_predicts_the_same(tmp_path: Path, exclusive: bool) -> None:
    data = load_iris()
    classifier = fitted(unit(data.data), one_hot(np.asarray(data.target)), exclusive=exclusive)
    classifier.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}
    loaded = LinearClassifier.load(tmp_path)
    np.testing.assert_array_equal(classifier.predict(unit(data.data)), loaded.predict(unit(data.data)))


def test_other_dimensions_are_refused_in_words() -> None:
    data = load_iris()
    classifier = fitted(unit(data.data), one_hot(np.asarray(data.target)))
    with pytest.raises(ValueError, match="fitted on 4 dimensions, got 3"):
        classifier.predict(np.zeros((1, 3), np.float32))
    with pytest.raises(ValueError, match="strength"):
        LinearClassifier(strength=0)


def test_what_a_person_set_holds_and_the_rest_is_still_chosen() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(120, 8)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    targets = np.eye(2, dtype=np.float32)[(embeddings[:, 0] > 0).astype(int)]
    groups = np.arange(120, dtype=np.int64)

    def chosen(settings: dict[str, object], used: dict[str, object] | None = None) -> dict[str, object]:
        classifier = KernelClassifier()
        classifier.configure(settings)
        if used is not None:
            classifier.use(used)
        classifier.cross_fit(
            embeddings, targets, np.ones_like(targets, bool), groups, folds=groups % 3, exclusive=True, seed=0
        )
        return classifier.parameters

    assert chosen({"strength": 7})["strength"] == 7
    assert chosen({"features": "kernel"})["features"] == "kernel"
    assert chosen({"features": "kernel", "strength": 50}) == {"features": "kernel", "strength": 50.0}
    assert chosen({"strength": 7}, {}) == {"features": "linear", "strength": 7.0}
    assert chosen({"strength": 7}, {"features": "kernel", "strength": 300}) == {"features": "kernel", "strength": 7.0}
