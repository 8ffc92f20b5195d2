"""The dynamic classifier keeps the contract, from no example at all to many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from espalier.contract import Embeddings, LiveClassifier
from espalier.testing import check_classifier
from espalier_dynamic import DynamicClassifier

NOBODY = np.zeros(0, np.int64)


def unit(rows: object) -> Embeddings:
    array = np.asarray(rows, np.float32)
    return np.asarray(array / np.linalg.norm(array, axis=1, keepdims=True), np.float32)


def blank(dim: int, options: int, *, exclusive: bool) -> DynamicClassifier:
    classifier = DynamicClassifier()
    nothing = np.zeros((0, options), np.float32)
    classifier.fit(
        np.zeros((0, dim), np.float32), nothing, nothing.astype(np.bool_), NOBODY, exclusive=exclusive, seed=0
    )
    return classifier


def test_it_keeps_the_contract() -> None:
    check_classifier(DynamicClassifier)
    assert isinstance(DynamicClassifier(), LiveClassifier)


@pytest.mark.parametrize("options", [1, 2, 4])
def test_who_knows_nothing_takes_everything_for_none_of_the_options(options: int) -> None:
    rows = unit(np.random.default_rng(0).normal(size=(5, 8)))
    scores = blank(8, options, exclusive=True).predict(rows)
    assert scores.tolist() == [[0.0] * (options - 1) + [1.0]] * 5
    assert not blank(8, options, exclusive=False).predict(rows).any()
    assert blank(8, options, exclusive=True).predict(rows[:0]).shape == (0, options)


@pytest.mark.parametrize("exclusive", [True, False])
def test_one_example_of_one_option_is_enough(exclusive: bool) -> None:
    classifier = blank(8, 2, exclusive=exclusive)
    rows = unit(np.eye(8)[:2] + 0.01)
    classifier.learn(np.array([7]), rows[:1], np.array([[1, 0]], np.float32), np.ones((1, 2), np.bool_))
    near, far = classifier.predict(rows)
    assert near[0] > 0.9
    assert far[0] < 0.1
    if exclusive:
        assert far[1] > 0.9
    classifier.forget(np.array([7, 8]))
    assert classifier.predict(rows)[0, 0] == 0


def test_other_dimensions_are_refused(tmp_path: Path) -> None:
    classifier = blank(8, 2, exclusive=True)
    with pytest.raises(ValueError, match="fitted on 8 dimensions, got 9"):
        classifier.predict(np.zeros((1, 9), np.float32))
    with pytest.raises(ValueError, match="must be"):
        classifier.learn(
            np.array([0]), np.zeros((1, 8), np.float32), np.zeros((1, 3), np.float32), np.ones((1, 3), np.bool_)
        )
