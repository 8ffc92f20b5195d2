"""What a person chooses for a run: kept as JSON, and refused in words where it cannot be meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest
from espalier.jobs.parameters import EXISTING, FILTERS, PARENTS, RunParameters
from espalier_ontology.frames import Frames
from espalier_ontology.labeling_config import parse

TAXONOMY = """<View><Image name="i" value="$i"/><Taxonomy name="what/where" toName="i">
  <Choice value="animal"><Choice value="cat"/><Choice value="dog"/></Choice>
  <Choice value="toy"><Choice value="cat"/></Choice></Taxonomy></View>"""
WITHIN = Frames.of((0, 10))

cutoffs = st.floats(0, 1)
parameters = st.builds(
    RunParameters,
    tasks=st.one_of(st.none(), st.lists(st.integers(1, 10**9)).map(tuple)),
    filter=st.one_of(st.sampled_from(FILTERS), st.integers(1, 99).map("view={}".format), st.just("image=*.png")),
    version=st.one_of(st.none(), st.just("espalier-v3")),
    classifications=st.one_of(st.none(), st.lists(st.text()).map(tuple)),
    first=st.integers(1, 100),
    last=st.one_of(st.none(), st.integers(100, 200)),
    stride=st.integers(0, 50),
    confidence=st.one_of(st.none(), cutoffs),
    confidences=st.dictionaries(st.text(), cutoffs),
    device=st.one_of(st.none(), st.just("cpu")),
    parents=st.sampled_from(PARENTS),
    existing=st.sampled_from(EXISTING),
    blind=st.floats(0, 0.5),
)


@given(parameters)
def test_through_json_and_back(chosen: RunParameters) -> None:
    assert RunParameters.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"first": 0}, "1 <= first <= last, got first=0"),
        ({"first": 9, "last": 8}, "first=9 last=8"),
        ({"first": "1"}, "first must be a whole number, got '1'"),
        ({"first": True}, "first must be a whole number"),
        ({"last": 2.5}, "last must be a whole number"),
        ({"stride": -1}, "stride must be 1 or more, or 0"),
        ({"stride": None}, "stride must be a whole number"),
        ({"confidence": 1.01}, r"the confidence for 'confidence' must be within \[0, 1\], got 1.01"),
        ({"confidence": "high"}, "must be a number, got 'high'"),
        ({"confidence": float("nan")}, "within"),
        ({"confidences": {"loop": -0.1}}, "the confidence for 'loop' must be within"),
        ({"confidences": {"loop": None}}, "the confidence for 'loop' must be a number"),
        ({"confidences": [0.5]}, "confidences must be cutoffs by name"),
        ({"parents": "nobody"}, "parents must be one of run, people, got 'nobody'"),
        ({"existing": "keep"}, "existing must be one of add, skip, replace"),
        ({"filter": "some"}, "filter must be one of all, unlabeled, labeled, unpredicted, view=<tab id>"),
        ({"filter": "=x"}, "filter must be one of"),
        ({"filter": "view=first"}, "the number of a Data Manager tab, got 'first'"),
        ({"filter": 3}, "filter must be a text"),
        ({"tasks": "12"}, "tasks must be a list of task ids, got '12'"),
        ({"tasks": ["12"]}, "tasks must be a list of task ids"),
        ({"tasks": 12}, "tasks must be a list of task ids"),
        ({"classifications": "loop"}, "classifications must be a list of names"),
        ({"version": 3}, "version must be a name"),
        ({"device": ["cpu"]}, "device must be a name"),
        ({"blind": 0.6}, r"blind must be a share within \[0, 0.5\], got 0.6"),
        ({"blind": "10 %"}, "blind must be a share, got '10 %'"),
        ({"tresholds": 1}, r"unknown run parameters \['tresholds'\]; known are"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_in_words(value: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        RunParameters.from_json(value)


def test_a_run_may_name_what_the_ontology_asks_and_nothing_else() -> None:
    ontology = parse(IMAGE_CONFIG)
    RunParameters(classifications=("loop",), confidences={"loop": 0.5, "open digit/7": 0.9}).check(ontology)
    with pytest.raises(BadRequest, match="no classification 'colour' to predict; there are loop, looped digit"):
        RunParameters(classifications=("colour",)).check(ontology)
    for name in ("colour", "open digit/4", "colour/red"):
        with pytest.raises(BadRequest, match=f"the confidence for '{name}' is for no classification"):
            RunParameters(confidences={name: 0.5}).check(ontology)


@pytest.mark.parametrize("order", [1, -1], ids=["the classification first", "the option first"])
def test_an_options_own_cutoff_wins(order: int) -> None:
    ontology = parse(IMAGE_CONFIG)
    given_cutoffs = dict([("loop", 0.2), ("loop/no loop", 0.9)][::order])
    decision = RunParameters(confidences=given_cutoffs).decision(ontology, WITHIN, 1)
    assert decision.cutoffs == {"loop": {("has a loop",): 0.2, ("no loop",): 0.9}}


def test_options_of_a_taxonomy_are_named_by_path_or_by_last_name() -> None:
    ontology = parse(TAXONOMY)
    decision = RunParameters(confidences={"what/where/animal / dog": 0.9, "what/where/cat": 0.7}).decision(
        ontology, WITHIN, 1
    )
    assert decision.cutoffs == {"what/where": {("animal", "dog"): 0.9, ("animal", "cat"): 0.7, ("toy", "cat"): 0.7}}


def test_a_decision_carries_the_range() -> None:
    chosen = RunParameters(confidence=0.4, classifications=("loop",)).decision(parse(IMAGE_CONFIG), WITHIN, 5)
    assert (chosen.cutoff, chosen.within, chosen.stride, chosen.only) == (0.4, WITHIN, 5, frozenset({"loop"}))
