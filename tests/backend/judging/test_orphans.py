"""Orphans: what a candidate would answer against the rules is found before it serves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from espalier.judging import orphans as module
from espalier.judging.orphans import SAMPLE, orphans
from espalier.learning.decide import decide
from espalier.learning.model import Model
from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option

Build = Callable[..., Model]


def tree() -> Ontology:
    def choice(name: str, *options: str, where: Condition | None = None) -> Classification:
        named = tuple(Option((option,)) for option in options)
        return Classification(name, "m", "Choices", "single", "media", named, (where,) if where else ())

    below = Condition("animal", frozenset({("cat",)}))
    asked = (choice("animal", "cat", "dog"), choice("fur", "long", "short", where=below))
    return Ontology((MediaTag("m", "image", "m"),), asked)


def random_model(judged_model: Build, rows: int) -> Model:
    rng = np.random.default_rng(0)
    return judged_model(
        tree(),
        {
            ("animal", ()): {"scores": rng.dirichlet([1, 1], rows)},
            ("fur", ()): {"scores": rng.dirichlet([1, 1], rows)},
        },
    )


def test_what_leaves_by_the_usual_way_breaks_no_rule(judged_model: Build) -> None:
    assert orphans(tree(), random_model(judged_model, 200)) == []


def test_a_way_that_forgets_the_parents_is_found_out(judged_model: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*arguments: object, **options: object) -> object:
        found = decide(*arguments, **options)  # type: ignore[arg-type]
        return [answer for answer in found if answer.classification == "fur"]

    monkeypatch.setattr(module, "answers_for", careless)
    found = orphans(tree(), random_model(judged_model, 200))
    assert 0 < len(found) <= SAMPLE
    assert found[0].startswith("fur: ")


def test_a_model_without_rows_has_none(judged_model: Build) -> None:
    assert orphans(tree(), judged_model(tree(), {})) == []
