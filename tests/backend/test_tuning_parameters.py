"""Tuning parameters: there and back, and words for what cannot be."""

from __future__ import annotations

import json

import pytest

from espalier.errors import BadRequest
from espalier.tuning_parameters import TuningParameters


def test_what_is_written_as_json_is_read_again() -> None:
    chosen = TuningParameters(model="RESNET18", epochs=3, imgsz=256, pretrained="espalier-v2", augment="strong")
    assert TuningParameters.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen
    assert TuningParameters.from_json({}) == TuningParameters()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"momentum": 0.9}, "unknown tuning parameters"),
        ({"epochs": 0}, r"epochs must be a number within \[1, 10000\], got 0"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"lr": "fast"}, "lr must be a number"),
        ({"lr": True}, "lr must be a number"),
        ({"imgsz": 250}, "imgsz must be a multiple of 32, got 250; 256 is the nearest"),
        ({"preset": "huge"}, "preset must be one of fast, balanced, accurate"),
        ({"augment": "wild"}, "augment must be one of none, light, standard, strong"),
        ({"dropout": None}, "dropout must be a number"),
        ({"epochs": 3, "minutes": 10}, "epochs or minutes, not both"),
    ],
)
def test_what_cannot_be_is_refused_in_words(given: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        TuningParameters.from_json(given)
