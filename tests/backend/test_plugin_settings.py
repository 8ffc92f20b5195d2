"""What people set of a plugin is held against the plugin's own schema."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.errors import BadSetting
from espalier.plugin_settings import faults, parse, problems
from espalier.plugins.registry import classifiers, new_classifier
from espalier.testing import check_classifier

STRENGTH = {"type": "number", "title": "Strength", "description": "How much.", "exclusiveMinimum": 0, "maximum": 9}
SCHEMA = {
    "type": "object",
    "description": "Looks hard.",
    "properties": {
        "strength": STRENGTH,
        "shape": {"type": "string", "title": "Shape", "description": "Which.", "enum": ["flat", "curved"]},
        "often": {"type": "integer", "title": "Often", "description": "How often.", "minimum": 1},
        "slow": {"type": "boolean", "title": "Slow", "description": "Whether."},
    },
}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"strength": "much"}, "strength='much' must be a number", id="no number"),
        pytest.param({"strength": float("nan")}, "must be a number", id="not a number"),
        pytest.param({"strength": True}, "must be a number", id="a truth is no number"),
        pytest.param({"strength": 0}, "must be above 0", id="too low"),
        pytest.param({"strength": 10}, "must be at most 9", id="too high"),
        pytest.param({"often": 1.5}, "must be an integer", id="no integer"),
        pytest.param({"often": 0}, "must be at least 1", id="too seldom"),
        pytest.param({"shape": "round"}, "must be one of flat, curved", id="not among them"),
        pytest.param({"colour": "red"}, "no parameter 'colour'; there are strength, shape, often, slow", id="unknown"),
    ],
)
def test_what_a_schema_does_not_allow_is_said_in_words(given: dict[str, Any], words: str) -> None:
    assert not faults(SCHEMA)
    assert words in next(iter(problems(SCHEMA, given).values()))
    assert not problems(SCHEMA, {"strength": 3, "shape": "flat", "often": 2, "slow": False})


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        pytest.param([], "type 'object'", id="no mapping"),
        pytest.param({"type": "object", "properties": {}}, "a description", id="says nothing of itself"),
        pytest.param({**SCHEMA, "required": ["strength"]}, "no 'required'", id="nothing is required"),
        pytest.param({**SCHEMA, "properties": {"a": {"type": "array"}}}, "one of the types", id="a list"),
        pytest.param({**SCHEMA, "properties": {"a": {"type": "string"}}}, "a has a title in words", id="no title"),
        pytest.param({**SCHEMA, "properties": {"a": STRENGTH | {"default": 0}}}, "above 0", id="its own default"),
    ],
)
def test_a_schema_that_no_form_can_be_made_of_is_refused(schema: Any, words: str) -> None:
    assert words in "; ".join(faults(schema))


@pytest.mark.parametrize("text", ["{strength", "[1]", "3"])
def test_parameters_are_an_object(text: str) -> None:
    with pytest.raises(BadSetting, match="JSON"):
        parse(text, "here")


@pytest.mark.parametrize("name", ["linear", "kernel", "dynamic", "pretrained", "label_studio_ml"])
def test_every_classifier_of_ours_says_what_may_be_set_of_it(name: str) -> None:
    plugin = classifiers()[name]
    assert not faults(plugin.load().schema)
    with pytest.raises(BadSetting, match="no parameter 'colour'"):
        new_classifier(name).configure({"colour": "red"})


@pytest.mark.parametrize("name", ["linear", "kernel"])
def test_they_keep_the_contract_however_they_are_set(name: str) -> None:
    check_classifier(classifiers()[name].load())
