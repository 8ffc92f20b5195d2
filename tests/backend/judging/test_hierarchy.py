"""Hierarchy: figures over the whole tree, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from espalier.judging.hierarchy import hierarchy
from espalier.judging.tree_truth import told
from espalier.learning.model import Model
from espalier.learning.tree_answers import answered_tree
from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]

TREE = Ontology(
    (MediaTag("m", "image", "m"),),
    (
        Classification(
            "animal", "m", "Taxonomy", "taxonomy", "media",
            (Option(("cat",)), Option(("cat", "tabby")), Option(("cat", "siam")), Option(("dog",))), single_path=True,
        ),
        Classification(
            "collar", "m", "Choices", "single", "media", (Option(("yes",)), Option(("no",))),
            (Condition("animal", frozenset({("dog",)})),),
        ),
    ),
)  # fmt: skip
N = 4
QUESTIONS = {
    # true: tabby, tabby, dog with a collar, dog without; answered: tabby, siam, dog with a collar, cat
    ("animal", ()): {
        "scores": [[1, 0], [1, 0], [0, 1], [1, 0]],
        "targets": [[1, 0], [1, 0], [0, 1], [0, 1]],
        "cutoffs": 0.3,
    },
    ("animal", ("cat",)): {
        "scores": [[1, 0], [0, 1], [1, 0], [0.5, 0.5]],
        "targets": [[1, 0], [1, 0], [0, 0], [0, 0]],
        "mask": [[True] * 2] * 2 + [[False] * 2] * 2,
        "cutoffs": 0.6,
    },
    ("collar", ()): {
        "scores": [[1, 0]] * 4,
        "targets": [[0, 0], [0, 0], [1, 0], [0, 1]],
        "mask": [[False] * 2] * 2 + [[True] * 2] * 2,
    },
}


def figures(model: Model, rows: list[int]) -> dict[str, object]:
    return hierarchy(TREE, model, answered_tree(TREE, model), told(TREE, model), np.array(rows, np.int64))


def test_paths_with_their_ancestors(judged_model: JudgedModel) -> None:
    """Answered: {cat, tabby}, {cat, siam}, {dog, yes}, {cat}: 7; true: {cat, tabby} twice, {dog, yes}, {dog, no}: 8."""
    found = figures(judged_model(TREE, QUESTIONS), [0, 1, 2, 3])
    assert found["precision"] == pytest.approx(5 / 7)
    assert found["recall"] == pytest.approx(5 / 8)
    assert found["f1"] == pytest.approx(2 * 5 / 15)
    assert found["rows"] == 4
    assert found["subset_accuracy"] == pytest.approx(2 / 4)
    each = found["classifications"]
    assert isinstance(each, dict)
    assert each["animal"] == {
        "precision": pytest.approx(4 / 6), "recall": pytest.approx(4 / 6), "f1": pytest.approx(4 / 6),
        "rows": 4, "path_accuracy": pytest.approx(2 / 4),
    }  # fmt: skip
    assert each["collar"]["path_accuracy"] == pytest.approx(3 / 4), "nothing to answer on cats, and nothing was"


def test_children_with_and_without_the_parent_given(judged_model: JudgedModel) -> None:
    """Four child rows: two kinds of cat (one right) and two collars (one right, one never reached)."""
    found = figures(judged_model(TREE, QUESTIONS), [0, 1, 2, 3])
    assert (found["child_rows"], found["child_rows_reached"]) == (4, 3)
    assert found["conditional_child_accuracy"] == pytest.approx(2 / 3)
    assert found["end_to_end_child_accuracy"] == pytest.approx(2 / 4)
    assert found["orphan_rate"] == 0.0


def test_an_answer_below_an_option_that_does_not_hold_is_wrong(judged_model: JudgedModel) -> None:
    questions = {**QUESTIONS, ("animal", ()): {**QUESTIONS["animal", ()], "scores": [[0, 1]] * 4}}
    found = figures(judged_model(TREE, questions), [0])
    assert found["precision"] == 0.0, "a dog with a collar, which is a tabby"
    assert found["recall"] == 0.0


def test_without_rows_there_are_no_figures(judged_model: JudgedModel) -> None:
    found = figures(judged_model(TREE, QUESTIONS), [])
    assert found["rows"] == 0
    for name in ("precision", "recall", "f1", "subset_accuracy", "orphan_rate", "end_to_end_child_accuracy"):
        assert found[name] is None


def test_an_orphan_is_seen(judged_model: JudgedModel) -> None:
    model = judged_model(TREE, QUESTIONS)
    answers = answered_tree(TREE, model)
    answers["collar"].by_label[None][3] = [True, False]
    found = hierarchy(TREE, model, answers, told(TREE, model), np.arange(4))
    assert found["orphan_rate"] == 0.25
