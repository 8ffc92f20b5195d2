"""How likely a question is asked: the product along its chain of parents, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from espalier.contract import EncoderSpec, Scores
from espalier.labeling.parents import likely
from espalier.learning.calibration import Calibration
from espalier.learning.head import Head
from espalier.learning.model import Model
from espalier.learning.questions import Key
from espalier_ontology.labeling_config import parse
from espalier_ontology.tree import Path

CONFIG = """<View><Image name="i" value="$i"/>
<Choices name="kind" toName="i" choice="single"><Choice value="animal"/><Choice value="plant"/></Choices>
<Choices name="animal" toName="i" choice="single" visibleWhen="choice-selected" whenTagName="kind"
  whenChoiceValue="animal"><Choice value="cat"/><Choice value="dog"/></Choices>
<Choices name="coat" toName="i" choice="single" visibleWhen="choice-selected" whenTagName="animal"
  whenChoiceValue="cat,dog"><Choice value="long"/><Choice value="short"/></Choices>
<Choices name="why" toName="i" choice="single" visibleWhen="choice-unselected" whenTagName="kind"
  whenChoiceValue="plant"><Choice value="here"/><Choice value="there"/></Choices>
<Taxonomy name="place" toName="i"><Choice value="in"><Choice value="room"/><Choice value="hall"/></Choice>
  <Choice value="out"/></Taxonomy></View>"""
SCORES: dict[Key, list[float]] = {
    ("kind", ()): [0.8, 0.2],
    ("animal", ()): [0.9, 0.1],
    ("coat", ()): [0.5, 0.5],
    ("why", ()): [0.5, 0.5],
    ("place", ()): [0.7, 0.3],
    ("place", ("in",)): [0.6, 0.4],
}


def model(keys: list[Key]) -> tuple[Model, dict[Key, Scores]]:
    ontology = parse(CONFIG)
    heads: dict[Key, Head] = {}
    for name, parent in keys:
        options: tuple[Path, ...] = next(
            siblings.options for siblings in ontology.classification(name).siblings() if siblings.parent == parent
        )
        calibration = Calibration.identity(len(options), exclusive=True)
        heads[name, parent] = Head(name, parent, options, True, "linear", None, calibration, np.full(2, 0.5))
    scores = {key: np.array([SCORES[key]], np.float32) for key in keys}
    return Model("", "", EncoderSpec("e", 2, (1, 1), "0" * 16), 0, heads), scores


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("kind", ()), None),
        (("animal", ()), 0.8),
        (("coat", ()), 0.8 * 0.9),
        (("why", ()), 1 - 0.2),
        (("place", ()), None),
        (("place", ("in",)), 0.7),
    ],
    ids=str,
)
def test_the_chain_of_parents_is_multiplied(key: Key, expected: float | None) -> None:
    found = likely(parse(CONFIG), *model(list(SCORES)), key)
    assert found is expected if expected is None else found == pytest.approx([expected])


def test_a_parent_that_was_never_learned_says_nothing() -> None:
    assert likely(parse(CONFIG), *model([("animal", ())]), ("animal", ())) is None
