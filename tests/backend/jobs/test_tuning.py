"""Fine-tuning as a job: from answers to a network of one's own, its heads, the gate, and the way back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.jobs import tuning
from espalier.jobs.progress import Progress
from espalier.learning.model import Model
from espalier.store.rows import ModelVersion
from espalier.tuning_parameters import TuningParameters

PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""


def tuned(home: Any, **parameters: Any) -> ModelVersion:
    return tuning.tune(home.house, home.key, TuningParameters(**{"model": "tiny", **parameters}), Progress())


@pytest.mark.usefixtures("tiny_tuner")
def test_a_tuned_network_becomes_an_encoder_and_its_heads(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(200, 180)
    first = home.train()
    version = tuned(home, epochs=30)
    print(version.state, version.message, version.gate)
    model = Model.load(Path(version.directory))
    print(first.metrics["accuracy"], version.metrics["accuracy"])
    assert version.name == "espalier-v2"
    assert version.encoder["directory"] == "encoder"
    assert model.encoder.name == "tiny"
