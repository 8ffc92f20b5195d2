"""Answers and how equal ones unite."""

from __future__ import annotations

import math

import pytest

from espalier_ontology.answers import Answer, merge
from espalier_ontology.frames import Frames


def test_equal_answers_unite_their_frames() -> None:
    one = Answer("kind", ("Cat",), Frames.of((0, 5)))
    assert merge([one, one.on(Frames.of((5, 9))), one.on(Frames())]) == (one.on(Frames.of((0, 9))),)


def test_answers_of_other_confidence_source_or_region_stay_apart() -> None:
    answers = [
        Answer("kind", ("Cat",)),
        Answer("kind", ("Cat",), confidence=0.5),
        Answer("kind", ("Cat",), source="model 3"),
        Answer("kind", ("Cat",), under=("Animal",)),
    ]
    assert merge(answers) == tuple(answers)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan, math.inf])
def test_a_confidence_is_a_probability(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Answer("kind", ("Cat",), confidence=confidence)


def test_an_answer_names_an_option() -> None:
    with pytest.raises(ValueError, match="must name an option"):
        Answer("kind", ())
