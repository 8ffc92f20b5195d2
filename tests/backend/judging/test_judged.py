"""Judged: each part with the scores and answers that its rows may be judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from espalier.judging.judged import judged, part_rows
from espalier.learning.model import Model
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]
KEY = ("sky", ())
SKY = Ontology(
    (MediaTag("m", "image", "m"),),
    (Classification("sky", "m", "Choices", "multiple", "media", (Option(("sun",)), Option(("rain",)))),),
)


def question() -> dict[str, object]:
    return {
        "scores": [[0.6, 0.4]] * 4,
        "raw": [[0.7, 0.3]] * 4,
        "fitted": [[0.9, 0.2]] * 4,
        "answered": [[False, True]] * 4,
        "targets": [[1, 0]] * 4,
        "mask": [[True, True], [True, False], [True, True], [False, False]],
        "counted": [[True, False], [True, False], [True, True], [False, False]],
    }


def test_training_rows_are_judged_by_the_classifier_that_learned_from_them(judged_model: JudgedModel) -> None:
    model = judged_model(SKY, {KEY: question()}, parts=[0, 0, 1, 2])
    one = judged(model, model.heads[KEY], "train")
    assert one is not None
    assert one.rows.tolist() == [0, 1]
    assert one.raw is None
    assert one.scores.tolist() == np.array([[0.9, 0.2]] * 2, np.float32).tolist()
    assert one.answers.tolist() == [[True, False]] * 2
    assert one.mask.tolist() == [[True, True], [True, False]]


def test_other_rows_by_one_that_had_not_seen_them_and_cutoffs_chosen_without_them(judged_model: JudgedModel) -> None:
    model = judged_model(SKY, {KEY: question()}, parts=[0, 0, 1, 2])
    one = judged(model, model.heads[KEY], "cross")
    assert one is not None
    assert one.rows.tolist() == [0, 1, 2]
    assert one.raw is not None
    assert one.answers.tolist() == [[False, False], [False, False], [False, True]], "what cannot be judged is not"
    assert one.holds.tolist() == [[True, False]] * 3
    given = judged(model, model.heads[KEY], "cross", {KEY: np.array([0.5, 0.3])})
    assert given is not None
    assert given.answers.tolist() == [[True, False], [True, False], [True, True]]
    assert given.cutoffs.tolist() == [0.5, 0.3]
    same = judged(model, model.heads[KEY], "cross", {KEY: np.array([0.5, 0.5])})
    assert same is not None
    assert same.answers.tolist() == one.answers.tolist(), "those of training: other folds chose them"
    last = judged(model, model.heads[KEY], "test")
    assert last is not None
    assert last.rows.tolist() == [3]
    assert not last.said.any()


def test_the_parts_and_what_is_not_trained(judged_model: JudgedModel) -> None:
    model = judged_model(SKY, {KEY: question()}, parts=[2, 0, 1, 0])
    assert part_rows(model.rows, "validation").tolist() == [2]
    assert part_rows(model.rows, "cross").tolist() == [1, 2, 3]
    assert judged(model, replace(model.heads[KEY], evidence=None), "cross") is None
