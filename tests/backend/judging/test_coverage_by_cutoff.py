"""What every cutoff would answer: counted by hand, and in step with the table of promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from espalier.judging.coverage import STEPS, coverage_by_cutoff, coverage_table
from espalier.learning.head import Head
from espalier.learning.model import Model

from .test_coverage import SKY, choice, ontology, sure

JudgedModel = Callable[..., Model]
QUESTION = ("sky", ())


def test_each_cutoff_is_counted_by_hand(judged_model: JudgedModel) -> None:
    scores, targets = sure(400, 60)
    parts = np.where(np.arange(400) % 4 == 3, 2, 0)
    model = judged_model(SKY, {QUESTION: {"scores": scores, "targets": targets}}, parts=parts)
    told = coverage_by_cutoff(model, {QUESTION: np.array([0.8, 0.9])})
    json.dumps(told, allow_nan=False)
    (sky,) = told["classifications"]
    confidence, best = scores.max(axis=1), scores.argmax(axis=1)
    right = targets[np.arange(400), best] > 0.5
    seen = parts != 2
    assert (sky["frames"], sky["media"], sky["multiple"]) == (300, 300, False)
    for step in (0, 60, 85, 99, 100, -1):
        kept = seen & (confidence >= STEPS[step])
        assert (sky["answers"][step], sky["right"][step]) == (kept.sum(), (kept & right).sum())
        assert sky["labeled"][step] == sky["answers"][step] == told["together"]["answers"][step]
        assert sum(option["answers"][step] for option in sky["options"]) == kept.sum()
    for column, option in enumerate(sky["options"]):
        kept = seen & (best == column) & (confidence >= (0.8, 0.9)[column])
        assert option["cutoff"] == (0.8, 0.9)[column]
        assert option["in_force"] == {"answers": kept.sum(), "right": (kept & right).sum()}
        assert option["frames"] == (seen & (targets[:, column] > 0.5)).sum()


def test_a_promised_cutoff_answers_what_the_table_says(judged_model: JudgedModel) -> None:
    scores, targets = sure(400, 60)
    model = judged_model(SKY, {QUESTION: {"scores": scores, "targets": targets}})
    promised = coverage_table(model)["classifications"][0]["targets"][0]
    (sky,) = coverage_by_cutoff(model, {}, [promised["cutoff"]])["classifications"]
    assert sky["labeled"][0] / sky["frames"] == pytest.approx(promised["coverage"])


def test_a_frame_with_several_answers_is_one_labeled_frame(judged_model: JudgedModel) -> None:
    several = ontology(choice("sky", "day", "night", kind="multiple"))
    scores = np.array([[0.9, 0.8], [0.9, 0.1], [0.2, 0.1]], np.float32)
    model = judged_model(several, {QUESTION: {"scores": scores, "targets": np.eye(3, 2, dtype=np.float32)}})
    (sky,) = coverage_by_cutoff(model, {}, [0.5])["classifications"]
    assert sky["multiple"]
    assert (sky["labeled"], sky["answers"], sky["right"]) == ([2], [3], [1])


def test_what_was_not_learned_answers_nothing(judged_model: JudgedModel) -> None:
    scores, targets = sure(10, 1)
    model = judged_model(SKY, {QUESTION: {"scores": scores, "targets": targets}})
    calibration = model.heads[QUESTION].calibration
    untrained = Head("sky", (), (), True, "", None, calibration, np.zeros(0), reason="too little")
    (sky,) = coverage_by_cutoff(replace(model, heads={QUESTION: untrained}), {})["classifications"]
    assert (sky["frames"], sky["media"], sky["options"]) == (0, 0, [])
    assert set(sky["answers"]) == {0}
