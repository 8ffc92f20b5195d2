"""Coverage: hand-counted figures, cutoffs that a fold or the test rows had no say in, and words for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from espalier.judging.coverage import coverage_table
from espalier.judging.coverage_words import percent, sentence
from espalier.learning.head import Head
from espalier.learning.model import Model
from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]
Kind = Literal["single", "multiple"]


def choice(name: str, *names: str, kind: Kind = "single", parent: str | None = None) -> Classification:
    where = (Condition("sky", frozenset({(parent,)})),) if parent else ()
    return Classification(name, "m", "Choices", kind, "media", tuple(Option((one,)) for one in names), where)


def ontology(*classifications: Classification) -> Ontology:
    return Ontology((MediaTag("m", "image", "m"),), classifications)


SKY = ontology(choice("sky", "day", "night"))


def sure(n: int, wrong: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """n rows of two options in turn; the least sure ones are wrong."""
    confidence = np.linspace(0.99, 0.6, n)
    guess = np.arange(n) % 2
    scores = np.where(np.eye(2)[guess] > 0, confidence[:, None], 1 - confidence[:, None]).astype(np.float32)
    truth = np.where(np.arange(n) >= n - wrong, 1 - guess, guess)
    return scores, np.eye(2, dtype=np.float32)[truth]


def entry(table: dict[str, Any], target: float, classification: int = 0, option: int | None = None) -> dict[str, Any]:
    one = table["classifications"][classification]
    entries = one["targets"] if option is None else one["options"][option]["targets"]
    found: dict[str, Any] = next(entry for entry in entries if entry["target"] == target)
    return found


def test_what_is_counted_by_hand_stands_in_the_table(judged_model: JudgedModel) -> None:
    scores, targets = sure(400, 60)
    parts = np.where(np.arange(400) % 4 == 3, 2, 0)
    table = coverage_table(judged_model(SKY, {("sky", ()): {"scores": scores, "targets": targets}}, parts=parts))
    json.dumps(table, allow_nan=False)
    assert (table["frames"], table["test_frames"]) == (300, 100)
    found = entry(table, 0.95)
    confidence, right = scores.max(axis=1), targets[np.arange(400), scores.argmax(axis=1)] > 0.5
    tested = (parts == 2) & (confidence >= found["cutoff"])
    test = found["test"]
    assert found["reached"]
    assert (test["frames"], test["labeled"], test["answers"]) == (100, tested.sum(), tested.sum())
    assert test["right"] == (tested & right).sum()
    assert test["precision"] == pytest.approx(right[tested].mean())
    assert test["coverage"] == pytest.approx(tested.mean() * 4)
    assert test["low"] <= test["precision"] <= test["high"]
    assert test["recall"] == pytest.approx((tested & right).sum() / 100)
    assert found["coverage"] == pytest.approx((confidence[parts != 2] >= found["cutoff"]).mean())
    assert found["cross"]["frames"] == 300
    assert entry(table, 0.90)["cutoff"] < found["cutoff"]
    assert not entry(table, 0.99)["reached"]


def test_test_rows_have_no_say(judged_model: JudgedModel) -> None:
    scores, targets = sure(400, 60)
    parts = np.where(np.arange(400) % 4 == 3, 2, 0)
    model = [
        judged_model(SKY, {("sky", ()): {"scores": scores, "targets": truth}}, parts=parts)
        for truth in (targets, np.where(parts[:, None] == 2, 1 - targets, targets))
    ]
    first, second = (entry(coverage_table(one), 0.95) for one in model)
    assert (first["cutoff"], first["cross"]) == (second["cutoff"], second["cross"])
    assert first["test"]["right"] > 0.95 * first["test"]["answers"]
    assert second["test"]["right"] < 0.05 * second["test"]["answers"]
    assert "of the test frames only" in second["sentence"]
    assert "of the test frames only" not in first["sentence"]


def test_a_fold_has_no_say_in_the_cutoff_it_is_judged_by(judged_model: JudgedModel) -> None:
    scores, targets = sure(500, 0)
    bad = np.arange(500) % 5 == 0  # one of the five folds that the fixture deals
    wrong = np.where(bad[:, None], 1 - targets, targets)
    table = coverage_table(judged_model(SKY, {("sky", ()): {"scores": scores, "targets": wrong}}), (0.7, 0.98))
    assert not entry(table, 0.98)["reached"]  # 80 % are right at any cutoff
    cross = entry(table, 0.7)["cross"]
    assert cross["labeled"] >= 495
    assert cross["labeled"] - cross["right"] == 100  # the others, all right, let the whole bad fold through


def test_nothing_is_invented_where_nothing_can_be_promised(judged_model: JudgedModel) -> None:
    rng = np.random.default_rng(0)
    guess, truth = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    scores = np.where(np.eye(2)[guess] > 0, 0.55, 0.45).astype(np.float32)
    table = coverage_table(judged_model(SKY, {("sky", ()): {"scores": scores, "targets": np.eye(2)[truth]}}))
    found = entry(table, 0.98)
    assert (found["reached"], found["cutoff"], found["cross"], found["test"]) == (False, None, None, None)
    assert 0.4 < found["promise"]["precision"] < 0.6
    assert found["sentence"].startswith("98 % cannot be promised yet; the most that can is 4")
    few = coverage_table(judged_model(SKY, {("sky", ()): {"scores": scores[:4], "targets": np.eye(2)[truth[:4]]}}))
    assert entry(few, 0.9)["sentence"] == "90 % cannot be promised yet: too few answers"


def test_several_answers_on_a_frame_count_each(judged_model: JudgedModel) -> None:
    tags = ontology(choice("tags", "red", "big", kind="multiple"))
    scores = np.tile(np.array([[0.97, 0.96], [0.97, 0.1], [0.05, 0.08]], np.float32), (60, 1))
    targets = np.tile(np.array([[1, 1], [1, 0], [0, 0]], np.float32), (60, 1))
    table = coverage_table(judged_model(tags, {("tags", ()): {"scores": scores, "targets": targets}}))
    cross = entry(table, 0.95)["cross"]
    assert (cross["frames"], cross["labeled"], cross["answers"], cross["holds"]) == (180, 120, 180, 180)
    assert cross["recall"] == 1.0
    assert "100 % of the labels are set for you" in entry(table, 0.95)["sentence"]
    red, big = entry(table, 0.95, option=0)["cross"], entry(table, 0.95, option=1)["cross"]
    assert (red["frames"], red["answers"], big["frames"], big["answers"]) == (120, 120, 60, 60)


def test_a_child_is_asked_only_where_its_parent_holds(judged_model: JudgedModel) -> None:
    nested = ontology(choice("sky", "day", "night"), choice("sun", "high", "low", parent="day"))
    scores, targets = sure(200, 0)
    is_day = targets[:, 0] > 0.5
    child = np.tile(np.array([[0.98, 0.02]], np.float32), (200, 1))
    asked = np.repeat(is_day[:, None], 2, axis=1)
    model = judged_model(
        nested,
        {
            ("sky", ()): {"scores": scores, "targets": targets},
            ("sun", ()): {"scores": child, "targets": np.where(asked, [1.0, 0.0], 0.0), "mask": asked},
        },
    )
    table = coverage_table(model)
    assert entry(table, 0.9, classification=1)["cross"]["frames"] == 100
    together = next(entry for entry in table["global"] if entry["target"] == 0.9)["cross"]
    assert together["frames"] == 300
    assert together["answers"] == together["labeled"] >= 295


def test_a_question_that_was_not_learned_says_why(judged_model: JudgedModel) -> None:
    scores, targets = sure(50, 0)
    model = judged_model(SKY, {("sky", ()): {"scores": scores, "targets": targets}})
    head = model.heads["sky", ()]
    untrained = Head("sky", (), (), True, "", None, head.calibration, np.zeros(0), reason="too little")
    table = coverage_table(Model("", "", model.encoder, 0, {("sky", ()): untrained}, model.rows))
    assert table["global"] == []
    assert table["classifications"][0]["reason"] == "too little"


def test_a_table_says_it_in_a_sentence() -> None:
    measure = {"answers": 142, "precision": 0.979, "low": 0.952, "high": 0.993}
    found = {"target": 0.95, "reached": True, "cutoff": 0.8312, "promise": None, "cross": measure, "test": None}
    found |= {"coverage": 0.71, "recall": 0.7}
    assert sentence(found, multiple=False, option=False) == (
        "at 0.83, 71 % of the frames are labeled for you, 98 % of them right (95-99 %)"
    )
    assert sentence(found, multiple=True, option=False).startswith("at 0.83, 70 % of the labels are set for you")
    assert sentence(found, multiple=False, option=True) == (
        "at 0.83, 71 % of its frames are found for you, 98 % of what is labeled so is right (95-99 %)"
    )
    nothing = {**found, "cross": {**measure, "answers": 0, "precision": None}}
    assert "71 % of the frames are labeled for you, too few to check that 95 % are right" in sentence(
        nothing, multiple=False, option=False
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.714, "71 %"), (1.0, "100 %"), (0.998, "99.8 %"), (0.9999, "99.9 %"), (0.002, "0.2 %"), (0.0, "0 %")],
)
def test_a_percentage_never_says_all_or_nothing_of_what_is_neither(share: float, said: str) -> None:
    assert percent(share) == said


def test_a_promise_is_rounded_down() -> None:
    assert percent(0.979, down=True) == "97 %"
