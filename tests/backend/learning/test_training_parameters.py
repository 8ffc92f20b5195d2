"""Training parameters: there and back, and words for what cannot be."""

from __future__ import annotations

import json

import pytest

from espalier.errors import BadRequest
from espalier.learning.training_parameters import TrainingParameters, options_named
from espalier_ontology import labeling_config

ONTOLOGY = labeling_config.parse(
    """<View><Image name="image" value="$image"/>
    <Choices name="kind" toName="image"><Choice value="cat"/><Choice value="dog"/></Choices>
    <Taxonomy name="place" toName="image">
      <Choice value="in"><Choice value="bed"/></Choice><Choice value="out"/>
    </Taxonomy>
    </View>"""
)


def test_what_is_written_as_json_is_read_again() -> None:
    chosen = TrainingParameters(
        classifications=("kind",),
        tasks=(1, 2),
        class_weights={"kind/cat": 2.0},
        val_tasks=(2,),
        single_label=("place",),
    )
    assert TrainingParameters.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    assert TrainingParameters.from_json({}) == TrainingParameters()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"epochs": 3}, "unknown training parameters"),
        ({"val_split": 0.7}, "val_split must be a number within"),
        ({"test_split": "a lot"}, "test_split must be a number"),
        ({"class_weight": "fair"}, "class_weight must be one of none, balanced"),
        ({"class_weights": {"kind/cat": -1}}, "the class weight of 'kind/cat'"),
        ({"val_tasks": [1], "split_column": "split"}, "in one way, not by val_tasks and split_column"),
        ({"single_label": ["kind"], "one_vs_rest": ["kind"]}, "cannot be single_label and one_vs_rest at once"),
    ],
)
def test_what_cannot_be_is_refused_in_words(given: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        TrainingParameters.from_json(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"classifications": ["colour"]}, "no classification 'colour' to learn; there are kind, place"),
        ({"leave_out": ["kind/bird"]}, "'kind/bird' is no classification and no `classification/option`"),
        ({"class_weights": {"bird": 2}}, "'bird' is no classification"),
        ({"default_labels": {"kind": "bird"}}, "'kind' has no option 'bird'"),
    ],
)
def test_what_the_ontology_does_not_ask_is_refused_in_words(given: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        TrainingParameters.from_json(given).check(ONTOLOGY)


@pytest.mark.parametrize("name", ["place/in/bed", "place/in / bed", "place/bed"])
def test_an_option_is_named_by_its_path_or_its_last_name(name: str) -> None:
    assert options_named(ONTOLOGY, name) == [("place", ("in", "bed"))]
    TrainingParameters(leave_out=(name, "kind")).check(ONTOLOGY)


def test_what_is_left_out_is_not_learned() -> None:
    kind, place = ONTOLOGY.classifications
    assert TrainingParameters().learns(kind)
    assert not TrainingParameters(leave_out=("kind",)).learns(kind)
    assert not TrainingParameters(classifications=("place",)).learns(kind)
    assert TrainingParameters(classifications=("place",)).learns(place)
