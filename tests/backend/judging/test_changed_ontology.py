"""A model whose ontology has changed since: it goes on answering what is unchanged, and nothing that is gone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from espalier.learning.decide import answers_for, overall_score
from espalier.learning.decision import Decision
from espalier.learning.model import Model
from espalier_ontology import rules
from espalier_ontology.answers import Answer
from espalier_ontology.labeling_config import parse
from espalier_ontology.tree import Ontology

Build = Callable[..., Model]

IMAGE = """<View><Image name="image" value="$image"/>
  <Choices name="animal" toName="image"><Choice value="cat"/><Choice value="dog"/><Choice value="fish"/></Choices>
  <Choices name="fur" toName="image" visibleWhen="choice-selected" whenTagName="animal" whenChoiceValue="cat">
    <Choice value="long"/><Choice value="short"/></Choices>
  <Choices name="extras" toName="image" choice="multiple"><Choice value="bowl"/><Choice value="ball"/></Choices>
  <Taxonomy name="place" toName="image"><Choice value="in"><Choice value="bed"/><Choice value="sofa"/></Choice>
    <Choice value="out"><Choice value="tree"/><Choice value="grass"/></Choice></Taxonomy></View>"""
VIDEO = """<View><Video name="video" value="$video"/>
  <TimelineLabels name="scene" toName="video"><Label value="day"/><Label value="night"/></TimelineLabels>
  <Choices name="sky" toName="video" perRegion="true" visibleWhen="region-selected" whenTagName="scene"
           whenLabelValue="day"><Choice value="blue"/><Choice value="grey"/></Choices></View>"""


def sure_of_everything(judged_model: Build, ontology: Ontology, rows: int, seed: int = 0) -> Model:
    """A model that scores at random, and high enough to answer on most rows."""
    rng = np.random.default_rng(seed)
    questions: dict[Any, Any] = {}
    for classification in ontology:
        for siblings in classification.siblings():
            k = len(siblings.options)
            scores = rng.dirichlet([0.2] * k, rows) if classification.exclusive else rng.random((rows, k))
            questions[classification.name, siblings.parent] = {"scores": scores, "cutoffs": 0.3}
    return judged_model(ontology, questions)


def answered(ontology: Ontology, model: Model, numbers: list[int], rows: slice) -> list[Answer]:
    scores = {key: head.evidence.scores[rows] for key, head in model.heads.items() if head.evidence is not None}
    found = answers_for(
        ontology,
        model,
        scores,
        np.array(numbers),
        length=len(numbers),
        parameters=Decision(min_length=1),
        source="v1",
    )
    assert 0.0 <= overall_score(ontology, scores, found) <= 1.0
    return found


CHANGES = {
    "an option is gone": (IMAGE, '<Choice value="dog"/>', ""),
    "the option that opens a child is gone": (IMAGE, '<Choice value="cat"/>', ""),
    "an option is renamed": (IMAGE, 'value="dog"', 'value="hound"'),
    "an option is new": (IMAGE, '<Choice value="fish"/>', '<Choice value="fish"/><Choice value="bird"/>'),
    "one of several is gone": (IMAGE, '<Choice value="bowl"/>', ""),
    "a branch is gone": (IMAGE, '<Choice value="in"><Choice value="bed"/><Choice value="sofa"/></Choice>', ""),
    "a leaf is gone": (IMAGE, '<Choice value="tree"/>', ""),
    "a leaf became a branch": (
        IMAGE,
        '<Choice value="grass"/>',
        '<Choice value="grass"><Choice value="wet"/></Choice>',
    ),
    "a classification is renamed": (IMAGE, 'name="extras"', 'name="things"'),
    "a parent is renamed": (IMAGE, '"animal"', '"creature"'),
    "several may hold now": (IMAGE, 'name="animal"', 'choice="multiple" name="animal"'),
    "only one may hold now": (IMAGE, 'choice="multiple"', 'choice="single"'),
    "a child is asked elsewhere": (IMAGE, 'whenChoiceValue="cat"', 'whenChoiceValue="dog"'),
    "a label is gone": (VIDEO, '<Label value="night"/>', ""),
    "the label of an attribute is gone": (VIDEO, '<Label value="day"/>', ""),
    "a label is renamed": (VIDEO, 'value="night"', 'value="dark"'),
    "an attribute moved": (VIDEO, 'whenLabelValue="day"', 'whenLabelValue="night"'),
    "an option of an attribute is gone": (VIDEO, '<Choice value="blue"/>', ""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_that_is_gone_is_answered_and_no_rule_broken(judged_model: Build, change: str) -> None:
    config, before, after = CHANGES[change]
    assert before in config
    old, new = parse(config), parse(config.replace(before, after))
    rows = 60
    model = sure_of_everything(judged_model, old, rows)
    asked = {(classification.name, option.path) for classification in new for option in classification.options}
    steps = [(0, rows)] if config == VIDEO else list(pairwise(range(rows + 1)))
    every = [answered(new, model, list(range(stop - start)), slice(start, stop)) for start, stop in steps]
    assert any(every), "what is unchanged is answered"
    for answers in every:
        assert {(answer.classification, answer.option) for answer in answers} <= asked
        assert not rules.check(new, answers)


def test_what_is_unchanged_is_answered_as_before(judged_model: Build) -> None:
    """Another classification, and options beside it, change nothing about the others."""
    old = parse(IMAGE)
    new = parse(IMAGE.replace('name="extras"', 'name="things"').replace('value="fish"', 'value="koi"'))
    model = sure_of_everything(judged_model, old, 60)
    kept = {"place", "fur"}
    for row in range(60):
        before = answered(old, model, [0], slice(row, row + 1))
        after = answered(new, model, [0], slice(row, row + 1))
        assert [one for one in after if one.classification in kept] == [
            one for one in before if one.classification in kept
        ]
        gone = [one for one in before if one.classification == "animal" and one.option == ("fish",)]
        was = [one for one in before if one.classification == "animal" and one not in gone]
        assert [one for one in after if one.classification == "animal"] == was
        assert not [one for one in after if one.classification in ("extras", "things")]


def test_a_whole_new_configuration_is_answered_with_nothing(judged_model: Build) -> None:
    model = sure_of_everything(judged_model, parse(IMAGE), 3)
    assert answered(parse(VIDEO), model, [0, 1, 2], slice(0, 3)) == []
