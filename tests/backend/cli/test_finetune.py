"""`espalier finetune` and what belongs to it, on a project of digits and a small tuner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from click.testing import Result

from espalier.cli.finetune import _OPTIONS, lines_about, parameters_from
from espalier.cli.table import duration
from espalier.cli.versions import lines_of
from espalier.errors import BadRequest
from espalier.jobs.tuning_estimate import Estimate
from espalier.store.rows import ModelVersion
from espalier.tuning import TuningEstimate
from espalier.tuning_parameters import TuningParameters

Espalier = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("tiny_tuner")


def test_every_tuning_parameter_is_an_option() -> None:
    assert {name for name, *_ in _OPTIONS} == {entry.name for entry in dataclasses.fields(TuningParameters)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, TuningParameters()),
        ({"lr": 0.01, "epochs": None}, TuningParameters(lr=0.01)),
        ({"pretrained": "no"}, TuningParameters(pretrained=False)),
        ({"pretrained": "Yes"}, TuningParameters()),
        ({"pretrained": "espalier-v3"}, TuningParameters(pretrained="espalier-v3")),
        ({"oversample": True, "auto_augment": False}, TuningParameters(oversample=True, auto_augment=False)),
    ],
    ids=["nothing", "one", "from scratch", "pretrained", "an own version", "switches"],
)
def test_options_become_parameters(given: dict[str, Any], expected: TuningParameters) -> None:
    assert parameters_from(given) == expected


def test_what_is_out_of_range_is_one_line(espalier: Espalier, project: str) -> None:
    result = espalier("finetune", project, "--imgsz", "100", "--here")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "Error: imgsz must be a multiple of 32, got 100; 96 is the nearest"


def test_without_a_worker_it_says_how_to_get_one(espalier: Espalier, project: str) -> None:
    result = espalier("finetune", project, "--model", "tiny")
    assert result.exit_code == 1
    assert "no tuning worker is running: start `espalier serve`, or add --here" in result.output


def test_what_it_learns_from_and_how_long_it_takes_is_told_before(espalier: Espalier, project: str) -> None:
    result = espalier("finetune", project, "--estimate", "--model", "tiny", "--epochs", "10")
    assert result.exit_code == 0, result.output
    assert "has a loop" in result.output
    lines = {line.split()[0]: line for line in result.output.splitlines() if line}
    assert lines["frames"].startswith("frames     24 (")
    assert "24 before, 24 after, by the new network" in lines["embedding"]
    assert "training   about 1 s, 20 steps" in lines["training"]
    assert "no model version yet" in espalier("versions", project).output


def test_a_network_is_fine_tuned_and_listed(espalier: Espalier, project: str) -> None:
    result = espalier("finetune", project, "--here", "--model", "tiny", "--epochs", "10")
    assert result.exit_code == 0, result.output
    assert f"espalier-v1; `espalier cancel {project} espalier-v1` stops it" in result.output
    assert "espalier-v1   serves" in result.output
    listed = espalier("versions", project).output
    assert "fine-tuned on" in listed
    again = espalier("finetune", project, "--here", "--resume", "espalier-v1")
    assert "espalier-v1 is done, so there is nothing to go on with: it is promoted" in again.output
    stopped = espalier("cancel", project, "espalier-v1")
    assert "espalier-v1 is not being fine-tuned: it is promoted" in stopped.output
    refused = espalier("finetune", project, "--here", "--model", "tiny", "--epochs", "1", "--lr", "1e-8")
    assert refused.exit_code == 0
    assert f"`espalier promote {project} espalier-v2` lets it serve all the same" in refused.output


def test_one_that_is_under_way_is_listed_with_how_far_it_is() -> None:
    version = ModelVersion(
        project_key="1.1", name="espalier-v7", state="training", directory="", encoder={}, ontology_fingerprint="",
        data_fingerprint="", metrics={}, created_at=datetime.now(timezone.utc), message="waits for a worker",
    )  # fmt: skip
    assert "waits for a worker" in "\n".join(lines_of(version, serving=False, details=False))
    far = {"step": 30, "steps": 500, "left_s": 240.0, "curves": []}
    version = dataclasses.replace(version, metrics={"tuning": far}, message="fine-tuning, epoch 1.2")
    (line,) = lines_of(version, serving=False, details=False)
    assert line.startswith("espalier-v7   training")
    assert line.endswith("step 30 of 500, 4 min left; fine-tuning, epoch 1.2")


def test_an_estimate_in_words() -> None:
    found = Estimate({"train": 70, "validation": 15, "test": 0}, 0, 12.0, TuningEstimate(100, 700, 90, ("a remark",)))
    assert lines_about(found) == [
        "frames     85 (70 train, 15 validation)",
        "embedding  about 12 s (none before, 85 after, by the new network)",
        "training   about 12 min, 100 steps; reading the pictures takes 2 min beside it",
        "note       a remark",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (40, "40 s"), (100, "2 min"), (3 * 3600 + 120, "3 h 2 min"), (4 * 86400, "4 days")],
)
def test_durations_are_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_unknown_names_are_refused() -> None:
    with pytest.raises(BadRequest, match="unknown tuning parameters"):
        parameters_from({"learning_rate": 1.0})
