"""What a form of a training is made of: every parameter, in order, with its meaning; and who may ask for figures."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from espalier.learning.training_parameters import TrainingParameters
from espalier.tuning_parameters import TuningParameters

from .conftest import Api


@pytest.mark.parametrize(
    ("kind", "parameters"), [("training", TrainingParameters()), ("tuning", TuningParameters())], ids=str
)
def test_a_form_knows_every_parameter_its_default_and_its_meaning(api: Api, kind: str, parameters: Any) -> None:
    schema = api.get("/training-choices", role="viewer").get_json()[kind]
    fields = {field.name for field in dataclasses.fields(parameters)}
    assert set(schema["x-order"]) == set(schema["properties"]) == fields
    for name, one in schema["properties"].items():
        usual = getattr(parameters, name)
        assert one["default"] == (list(usual) if isinstance(usual, tuple) else usual)
        assert one["description"].endswith(".")
        assert one["x-level"] in ("basic", "advanced")
    assert any(one["x-level"] == "basic" for one in schema["properties"].values())


@pytest.mark.parametrize("path", ["figures?classification=Weather", "scores?classification=Weather", "learning"])
def test_figures_are_asked_of_a_version_that_is_there(api: Api, path: str) -> None:
    answer = api.get(f"/projects/1/versions/espalier-v9/{path}", role="viewer")
    assert answer.status_code == 404
    assert "has no model version 'espalier-v9'" in answer.get_json()["detail"]
