"""Learning curves: loss and F1 of watched frames at every step, as scikit-learn measures them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
)

from espalier.judging.learning_curves import learning_curves, sample, step_figures
from espalier.learning.head import Steps
from espalier.learning.model import Model
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]

SKY = Ontology(
    (MediaTag("m", "image", "m"),),
    (Classification("sky", "m", "Choices", "single", "media", tuple(Option((name,)) for name in "abc")),),
)
KEY = ("sky", ())


def watched(judged_model: JudgedModel) -> tuple[Model, NDArray[np.int64], Steps]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 30)
    rows = np.array([0, 2, 5, 9, 20, 21, 22, 27])
    scores = rng.dirichlet(np.ones(3), (4, len(rows))).astype(np.float32)
    steps = Steps(np.array([0, 2, 8, 32]), rows, scores)
    question = {"scores": np.full((30, 3), 1 / 3), "targets": np.eye(3)[labels], "steps": steps}
    return judged_model(SKY, {KEY: question}, parts=[0] * 20 + [1] * 10), labels, steps


def test_each_part_at_each_step(judged_model: JudgedModel) -> None:
    model, labels, steps = watched(judged_model)
    found = learning_curves(model.heads[KEY], model.rows)
    assert found is not None
    assert found["steps"] == [0, 2, 8, 32]
    for part, here in (("train", slice(0, 4)), ("validation", slice(4, 8))):
        true = labels[steps.rows[here]]
        assert found[part]["rows"] == 4
        for step in range(4):
            scores = steps.scores[step, here].astype(np.float64)
            best = scores.argmax(axis=1)
            expected = log_loss(true, scores / scores.sum(axis=1, keepdims=True), labels=[0, 1, 2])
            assert found[part]["loss"][step] == pytest.approx(expected, abs=1e-6)
            assert found[part]["accuracy"][step] == pytest.approx(accuracy_score(true, best))
            macro = f1_score(true, best, labels=sorted(set(true)), average="macro", zero_division=0)
            assert found[part]["macro_f1"][step] == pytest.approx(macro)


def test_each_option_at_each_step(judged_model: JudgedModel) -> None:
    model, labels, steps = watched(judged_model)
    found = step_figures(model.heads[KEY], model.rows)
    assert list(found) == ["train", "validation"]
    for part, here in (("train", slice(0, 4)), ("validation", slice(4, 8))):
        true, figures = labels[steps.rows[here]], found[part]  # type: ignore[index]
        assert figures.frames == 4
        assert figures.positives.tolist() == np.bincount(true, minlength=3).tolist()
        for step in range(4):
            said = steps.scores[step, here].argmax(axis=1)
            matrix = confusion_matrix(true, said, labels=[0, 1, 2, 3])
            np.testing.assert_array_equal(figures.confusion[step], matrix)
            for measure, values in (
                (precision_score, figures.precision), (recall_score, figures.recall), (f1_score, figures.f1),
            ):  # fmt: skip
                expected = measure(true, said, labels=[0, 1, 2], average=None, zero_division=np.nan)
                np.testing.assert_allclose(values[step], expected)


def test_the_watched_frames_can_be_shown_at_each_step(judged_model: JudgedModel) -> None:
    model, labels, steps = watched(judged_model)
    found = sample(model.heads[KEY], model.rows)
    assert found["media"].tolist() == [f"m{row}" for row in steps.rows]
    np.testing.assert_array_equal(found["scores"], steps.scores)
    np.testing.assert_array_equal(found["targets"].argmax(axis=1), labels[steps.rows])
    assert found["frames"].tolist() == [0] * 8


def test_where_nobody_watched_there_is_nothing(judged_model: JudgedModel) -> None:
    model = judged_model(SKY, {KEY: {"scores": np.full((4, 3), 1 / 3)}})
    assert learning_curves(model.heads[KEY], model.rows) is None
    assert step_figures(model.heads[KEY], model.rows) == {}
    assert sample(model.heads[KEY], model.rows) == {}


def test_a_part_without_rows_is_left_out_and_the_background_is_an_answer(judged_model: JudgedModel) -> None:
    steps = Steps(np.array([0]), np.array([0, 1]), np.array([[[0.1, 0.2, 0.1], [0.5, 0.2, 0.1]]], np.float32))
    question = {"scores": np.full((2, 3), 0.2), "targets": [[0, 0, 0], [1, 0, 0]], "steps": steps, "background": True}
    model = judged_model(SKY, {KEY: question})
    found = learning_curves(model.heads[KEY], model.rows)
    assert found is not None
    assert "validation" not in found
    assert found["train"]["accuracy"] == [1.0]
    assert found["train"]["macro_f1"] == [1.0]
    assert found["train"]["loss"] == pytest.approx([-np.log([0.6, 0.5]).mean()], abs=1e-6)
