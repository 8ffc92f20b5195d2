"""Tree truth: what people said, what follows from it, and what nobody knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from espalier.judging.tree_truth import told
from espalier.learning.model import Model
from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]


def tree(*conditions: Condition) -> Ontology:
    animal = Classification(
        "animal", "m", "Taxonomy", "taxonomy", "media",
        (Option(("cat",)), Option(("cat", "tabby")), Option(("cat", "siam")), Option(("dog",))), single_path=True,
    )  # fmt: skip
    collar = Classification(
        "collar", "m", "Choices", "multiple", "media", (Option(("red",)), Option(("bell",))), conditions
    )
    return Ontology((MediaTag("m", "image", "m"),), (animal, collar))


DOG = Condition("animal", frozenset({("dog",)}))
N = 5
ANIMALS = {
    # a tabby, a cat of no kind that was said, a dog, a dog, and one that nobody spoke of
    ("animal", ()): {
        "scores": np.zeros((N, 2)),
        "targets": [[1, 0], [1, 0], [0, 1], [0, 1], [0, 0]],
        "mask": [[True] * 2] * 4 + [[False] * 2],
    },
    ("animal", ("cat",)): {
        "scores": np.zeros((N, 2)),
        "targets": [[1, 0]] + [[0, 0]] * 4,
        "mask": [[True] * 2] + [[False] * 2] * 4,
    },
}
COLLARS = {
    ("collar", ()): {
        "scores": np.zeros((N, 2)),
        "targets": [[0, 0], [0, 0], [1, 0], [0, 0], [0, 0]],
        "mask": [[False] * 2] * 2 + [[True] * 2] + [[False] * 2] * 2,
    }
}


def test_below_an_option_that_does_not_hold_nothing_holds(judged_model: JudgedModel) -> None:
    ontology = tree(DOG)
    found = told(ontology, judged_model(ontology, {**ANIMALS, **COLLARS}))
    assert found["animal"].paths == (("cat",), ("cat", "tabby"), ("cat", "siam"), ("dog",))
    assert found["animal"].holds[:3].tolist() == [
        [True, True, False, False],
        [True] + [False] * 3,
        [False] * 3 + [True],
    ]
    assert found["animal"].known.tolist() == [
        [True] * 4,
        [True, False, False, True],  # which cat it is was not said
        [True] * 4,
        [True] * 4,
        [False] * 4,
    ]


def test_where_a_condition_does_not_hold_nothing_holds_and_elsewhere_only_what_was_said_is_known(
    judged_model: JudgedModel,
) -> None:
    ontology = tree(DOG)
    found = told(ontology, judged_model(ontology, {**ANIMALS, **COLLARS}))["collar"]
    assert found.denied.tolist() == [True, True, False, False, False]
    assert found.known.tolist() == [[True] * 2] * 3 + [[False] * 2] * 2
    assert found.holds.tolist() == [[False] * 2, [False] * 2, [True, False], [False] * 2, [False] * 2]


def test_conditions_of_every_form(judged_model: JudgedModel) -> None:
    def denied(condition: Condition) -> list[bool]:
        ontology = tree(condition)
        found = told(ontology, judged_model(ontology, ANIMALS))["collar"].denied
        return [bool(row) for row in found]

    assert denied(Condition("animal", frozenset({("dog",)}), negated=True)) == [False, False, True, True, False]
    assert denied(Condition("animal")) == [False] * 5, "everybody who spoke gave some answer"
    assert denied(Condition("animal", frozenset({("cat",)}))) == [True, False, True, True, False], "a tabby is not it"


def test_of_an_option_that_was_not_learned_nothing_follows(judged_model: JudgedModel) -> None:
    """One that always holds cannot be learned: its rows do not tell, and yet it may hold there."""
    ontology = tree(Condition("animal", frozenset({("cat",), ("dog",)})))
    only_cats = {("animal", ()): {**ANIMALS["animal", ()], "options": [("cat",)], "scores": np.zeros((N, 1))}}
    only_cats["animal", ()] |= {"targets": [[1]] * N, "mask": [[True]] * N}
    model = judged_model(ontology, only_cats)
    model.heads["animal", ()].counts[("dog",)] = 3  # type: ignore[index]
    assert not told(ontology, model)["collar"].denied.any()


def test_what_unseen_scores_say_nothing_about_is_unknown_unless_the_row_was_learned_from(
    judged_model: JudgedModel,
) -> None:
    ontology = tree(DOG)
    rare = {**ANIMALS["animal", ()], "counted": [[False] * 2] * 2 + [[True] * 2] * 2 + [[False] * 2]}
    model = judged_model(ontology, {**ANIMALS, ("animal", ()): rare})
    assert told(ontology, model)["animal"].known[:, 0].tolist() == [False, False, True, True, False]
    assert told(ontology, model, fitted=True)["animal"].known[:, 0].tolist() == [True] * 4 + [False]
