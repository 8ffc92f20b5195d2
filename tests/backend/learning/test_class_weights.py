"""Class weights: as scikit-learn balances, by hand on top, and nothing at all where everything counts alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_sample_weight

from espalier.learning.class_weights import class_weights
from espalier.learning.questions import Question
from espalier.learning.training_parameters import TrainingParameters


def question(targets: NDArray[np.float32], *, exclusive: bool) -> Question:
    n, k = targets.shape
    return Question(
        "kind",
        (),
        tuple((name,) for name in "abc"[:k]),
        exclusive,
        np.arange(n).astype(np.str_),
        np.zeros(n, np.int64),
        targets,
        np.ones((n, k), np.bool_),
        np.arange(n),
        np.ones(n, np.float32),
    )


def weights(asked: Question, **parameters: object) -> NDArray[np.float32] | None:
    return class_weights(asked, asked.targets, asked.mask, TrainingParameters.from_json(parameters))


LABELS = np.repeat([0, 1, 2], [60, 30, 10])
SINGLE = question(np.eye(3, dtype=np.float32)[LABELS], exclusive=True)
SEVERAL = question(np.stack([LABELS == 0, LABELS < 2, LABELS == 2], axis=1).astype(np.float32), exclusive=False)


@pytest.mark.parametrize("asked", [SINGLE, SEVERAL], ids=["single", "several"])
def test_nothing_to_say_is_no_weights(asked: Question) -> None:
    assert weights(asked) is None


def test_single_choices_are_balanced_as_in_scikit_learn() -> None:
    found = weights(SINGLE, class_weight="balanced")
    assert found is not None
    np.testing.assert_allclose(found[np.arange(100), LABELS], compute_sample_weight("balanced", LABELS), rtol=1e-6)


def test_several_choices_are_balanced_yes_against_no_each() -> None:
    found = weights(SEVERAL, class_weight="balanced")
    assert found is not None
    for column in range(3):
        wanted = compute_sample_weight("balanced", SEVERAL.targets[:, column])
        np.testing.assert_allclose(found[:, column], wanted, rtol=1e-6)


def test_weights_by_hand_count_where_the_option_holds() -> None:
    found = weights(SINGLE, class_weights={"kind/c": 4.0})
    assert found is not None
    assert found[np.arange(100), LABELS].tolist() == [1.0] * 90 + [4.0] * 10
    assert weights(SEVERAL, class_weights={"another/c": 4.0}) is None


def test_what_an_answer_counts_multiplies_what_its_option_counts() -> None:
    half = replace(SINGLE, weights=np.full(100, 0.5, np.float32))
    found = weights(half, class_weights={"kind/a": 2.0})
    assert found is not None
    assert found[0, 0] == 1.0
    assert found[99, 2] == 0.5
