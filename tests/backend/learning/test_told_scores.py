"""What was said, as scores: products along a path, one column for everything else, and the surest where two speak."""

from __future__ import annotations

import numpy as np
import pytest

from espalier.learning.told_scores import told_scores
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Path

DAY, NIGHT = ("Day",), ("Night",)
CAT, DOG, LYNX = ("Animal", "Cat"), ("Animal", "Dog"), ("Animal", "Cat", "Lynx")
NUMBERS = np.array([0, 5, 10, 15], np.int64)


def said(option: Path, confidence: float, start: int = 0, stop: int = 20) -> Answer:
    return Answer("question", option, Frames.of((start, stop)), confidence, "told")


def test_what_is_left_is_everything_else() -> None:
    scores = told_scores([said(DAY, 0.7, 0, 10)], (), [DAY, NIGHT], NUMBERS, exclusive=True)
    assert scores == pytest.approx(np.array([[0.7, 0, 0.3], [0.7, 0, 0.3], [0, 0, 1], [0, 0, 1]]))
    assert scores.dtype == np.float32


def test_where_two_options_are_said_they_share() -> None:
    scores = told_scores([said(DAY, 0.9), said(NIGHT, 0.9, 10, 20)], (), [DAY, NIGHT], NUMBERS, exclusive=True)
    assert scores == pytest.approx(np.array([[0.9, 0, 0.1], [0.9, 0, 0.1], [0.5, 0.5, 0], [0.5, 0.5, 0]]))


def test_options_that_do_not_exclude_each_other_stand_by_themselves() -> None:
    answers = [said(DAY, 0.9), said(DAY, 0.4), said(NIGHT, 0.8, 0, 5)]
    scores = told_scores(answers, (), [DAY, NIGHT], NUMBERS, exclusive=False)
    assert scores == pytest.approx(np.array([[0.9, 0.8], [0.9, 0], [0.9, 0], [0.9, 0]]))


def test_along_a_path_the_product_of_the_steps_is_what_was_said() -> None:
    answers = [said(LYNX, 0.6), said(DOG, 0.8, 10, 20)]
    animal = told_scores(answers, (), [("Animal",)], NUMBERS, exclusive=False)
    kind = told_scores(answers, ("Animal",), [CAT, DOG], NUMBERS, exclusive=False)
    assert animal[:, 0] == pytest.approx([0.6, 0.6, 0.8, 0.8])
    assert (animal * kind)[:, 0] == pytest.approx([0.6] * 4)
    assert (animal * kind)[:, 1] == pytest.approx([0, 0, 0.8, 0.8])


def test_nothing_said_is_everything_else() -> None:
    assert told_scores([], ("Animal",), [CAT, DOG], NUMBERS, exclusive=True).tolist() == [[0, 0, 1]] * 4
    assert told_scores([], (), [DAY], NUMBERS[:0], exclusive=False).shape == (0, 1)
