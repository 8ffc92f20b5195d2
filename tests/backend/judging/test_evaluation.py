"""Evaluation: everything of a model from its stored scores, in JSON, at once and by any cutoffs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.contract import EncoderSpec
from espalier.judging.evaluation import Evaluation, evaluate
from espalier.judging.judged import JUDGED_PARTS
from espalier.learning.model import Model
from espalier.learning.questions import Annotated, Key
from espalier.learning.targets import lesson
from espalier.learning.training import train
from espalier_ontology.answers import Answer
from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]


def choice(name: str, *names: str, parent: str | None = None) -> Classification:
    where = (Condition("parity", frozenset({(parent,)})),) if parent else ()
    return Classification(name, "m", "Choices", "single", "media", tuple(Option((n,)) for n in names), where)


DIGITS = Ontology(
    (MediaTag("m", "image", "m"),),
    (
        choice("parity", "even", "odd"),
        choice("even digit", "0", "2", "4", "6", "8", parent="even"),
        choice("odd digit", "1", "3", "5", "7", "9", parent="odd"),
    ),
)


@pytest.fixture(scope="module")
def digits() -> Model:
    """Trained on 600 real digits."""
    data = load_digits()
    embeddings: NDArray[np.float32] = data.data.astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    told = []
    for number, label in enumerate(data.target[:600]):
        parity = ("even", "odd")[label % 2]
        answers = (Answer("parity", (parity,)), Answer(f"{parity} digit", (str(label),)))
        told.append(Annotated(str(number), str(number), answers))
    with threadpool_limits(1):
        return train(
            DIGITS,
            lesson(DIGITS, told).questions,
            lambda located: embeddings[located.media.astype(np.int64)],
            encoder=EncoderSpec("pixels", 64, (8, 8), "0123456789abcdef"),
        )


@pytest.fixture(scope="module")
def evaluated(digits: Model) -> Evaluation:
    return evaluate(DIGITS, digits, resamples=100)


def test_every_part_has_every_figure(evaluated: Evaluation, digits: Model) -> None:
    summary = json.loads(json.dumps(evaluated.summary, allow_nan=False))
    assert summary == evaluated.summary, "plain JSON"
    assert tuple(summary["parts"]) == JUDGED_PARTS
    assert [len(question["options"]) for question in summary["questions"]] == [2, 5, 5]
    sizes = {part: found["rows"] for part, found in summary["parts"].items()}
    assert sizes["train"] + sizes["validation"] == sizes["cross"] == 600 - sizes["test"]
    for part in summary["parts"].values():
        assert part["mean"]["accuracy"] > 0.8
        assert part["hierarchy"]["orphan_rate"] == 0.0
        assert part["hierarchy"]["f1"] > 0.8
        assert part["hierarchy"]["child_rows"] == part["rows"]
        assert part["hierarchy"]["end_to_end_child_accuracy"] <= part["hierarchy"]["conditional_child_accuracy"]
        assert part["video"] == {}
        for question in part["questions"]:
            assert np.array(question["confusion"]).sum() == question["rows"]
            assert question["intervals"]["accuracy"][0] <= question["accuracy"] <= question["intervals"]["accuracy"][1]
    cross = summary["parts"]["cross"]["questions"][0]
    head = digits.heads["parity", ()]
    for name, measured in (("accuracy", "accuracy"), ("macro_f1", "macro_f1"), ("ece", "ece"), ("exact", "")):
        if measured:
            assert cross[name] == pytest.approx(head.metrics[measured], abs=1e-9)
    assert cross["cross_entropy"] == pytest.approx(head.metrics["log_loss"], abs=1e-9)
    assert cross["uncalibrated"]["ece"] == pytest.approx(head.metrics["ece_uncalibrated"], abs=1e-9)


def test_the_curves_are_arrays(evaluated: Evaluation) -> None:
    assert evaluated.arrays["test/1/roc"].shape == (6, 200, 3)
    assert evaluated.arrays["cross/0/precision_recall"].shape == (3, 200, 3)
    assert evaluated.arrays["validation/2/reliability"].shape == (6, 15, 3)


def test_learning_is_shown_step_by_step_where_the_classifier_tells(evaluated: Evaluation, digits: Model) -> None:
    for number, (question, head) in enumerate(zip(evaluated.summary["questions"], digits.heads.values(), strict=True)):
        if head.steps is None:
            assert question["learning"] is None
        else:
            assert question["learning"]["train"]["loss"][0] > question["learning"]["train"]["loss"][-1]
            assert len(evaluated.arrays[f"steps/{number}/media"]) == len(head.steps.rows)


def test_equal_input_gives_equal_figures(evaluated: Evaluation, digits: Model) -> None:
    assert evaluate(DIGITS, digits, resamples=100).summary == evaluated.summary


def test_figures_follow_the_cutoffs_at_once(evaluated: Evaluation, digits: Model) -> None:
    key: Key = ("parity", ())
    never = evaluate(DIGITS, digits, cutoffs={key: np.array([1.0, 1.0])}, resamples=0)
    question = never.summary["parts"]["test"]["questions"][0]
    before = evaluated.summary["parts"]["test"]["questions"][0]
    assert question["coverage"] == 0.0
    assert question["micro_precision"] is None
    assert question["macro_f1"] == 0.0
    assert [row[-1] for row in question["confusion"][:2]] == [option["positives"] for option in question["options"]]
    assert question["accuracy"] == before["accuracy"], "no cutoff is in it"
    assert never.summary["parts"]["test"]["hierarchy"]["end_to_end_child_accuracy"] == 0.0, "no parent, no child"
    assert never.summary["parts"]["test"]["questions"][1] == {
        **evaluated.summary["parts"]["test"]["questions"][1],
        "intervals": {"accuracy": None, "subset_accuracy": None, "macro_f1": None},
        "options": [
            {**option, "f1_interval": None} for option in evaluated.summary["parts"]["test"]["questions"][1]["options"]
        ],
    }, "its cutoffs stayed"
    assert never.summary["cutoffs"] == [{"classification": "parity", "parent": [], "cutoffs": [1.0, 1.0]}]


def test_it_is_kept(evaluated: Evaluation, tmp_path: Path) -> None:
    evaluated.save(tmp_path / "evaluation")
    found = Evaluation.load(tmp_path / "evaluation")
    assert found.summary == evaluated.summary
    assert found.arrays.keys() == evaluated.arrays.keys()
    for name, array in evaluated.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)


def test_an_option_that_is_gone_from_the_ontology_counts_no_more(digits: Model) -> None:
    fewer = Ontology(DIGITS.media, (*DIGITS.classifications[:2], choice("odd digit", "1", "3", "5", "9", parent="odd")))
    gone = Ontology(DIGITS.media, DIGITS.classifications[:1])
    for ontology, names in ((fewer, {"parity", "even digit", "odd digit"}), (gone, {"parity"})):
        found = evaluate(ontology, digits, resamples=0).summary["parts"]["cross"]
        assert set(found["hierarchy"]["classifications"]) == names
        assert len(found["questions"]) == 3, "what was measured of each question stands"


def test_a_threshold_in_the_configuration_is_a_cutoff(evaluated: Evaluation, digits: Model) -> None:
    parity = replace(DIGITS.classifications[0], settings={"model_score_threshold": "0.99"})
    strict = Ontology(DIGITS.media, (parity, *DIGITS.classifications[1:]))
    found = evaluate(strict, digits, resamples=0)
    assert found.summary["cutoffs"] == [{"classification": "parity", "parent": [], "cutoffs": [0.99, 0.99]}]
    before = evaluated.summary["parts"]["test"]["questions"][0]["coverage"]
    assert found.summary["parts"]["test"]["questions"][0]["coverage"] < before
    assert found.is_of(strict, digits)
    assert not found.is_of(DIGITS, digits)
    assert not found.is_of(strict, replace(digits, data_fingerprint="other"))


def test_a_model_without_rows_or_with_one_row(judged_model: JudgedModel) -> None:
    empty = evaluate(DIGITS, judged_model(DIGITS, {}))
    assert empty.summary["parts"]["test"]["questions"] == []
    tiny = judged_model(DIGITS, {("parity", ()): {"scores": [[0.7, 0.3]], "targets": [[1, 0]]}})
    summary: dict[str, Any] = json.loads(json.dumps(evaluate(DIGITS, tiny).summary, allow_nan=False))
    assert summary["parts"]["train"]["questions"][0]["accuracy"] == 1.0
    assert summary["parts"]["train"]["questions"][0]["roc_auc"] is None
    assert summary["parts"]["test"]["questions"][0] == {"classification": "parity", "parent": [], "rows": 0}


def test_no_scikit_learn_is_imported() -> None:
    program = "import espalier.judging.evaluation, sys; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
