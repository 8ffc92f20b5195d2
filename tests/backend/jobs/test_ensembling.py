"""Ensembles of a network of one's own and the encoder of the settings, through the gate like every version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.contract import EncoderSpec
from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest
from espalier.jobs import promotion, tuning
from espalier.jobs.archiving import archive
from espalier.jobs.ensembling import ensemble
from espalier.jobs.own_encoder import OwnEncoder
from espalier.jobs.progress import Progress
from espalier.learning.ensemble import ensemble_model
from espalier.learning.model import Model
from espalier.tuning_parameters import TuningParameters

pytestmark = pytest.mark.usefixtures("tiny_tuner")


@pytest.fixture
def two(home: Any) -> Any:
    """A project with a version on the settings' encoder and a fine-tuned one; some tasks are not labeled."""
    home.configure(IMAGE_CONFIG)
    home.tasks, _ = home.digits(170, 150)
    home.train()
    tuning.tune(home.house, home.key, TuningParameters(model="tiny", epochs=12), Progress())
    return home


def model_of(home: Any, name: str) -> Model:
    return Model.load(Path(home.house.version(home.project, name).directory))


def test_logits_are_averaged(two: Any) -> None:
    made = ensemble(two.house, two.key, ["espalier-v1", "espalier-v2"])
    print(made.gate["reasons"], made.message)
    assert made.name == "espalier-v3"
    whole, newer, older = (model_of(two, name) for name in ("espalier-v3", "espalier-v2", "espalier-v1"))
    assert whole.encoder.dim == newer.encoder.dim + older.encoder.dim
    rng = np.random.default_rng(0)

    def unit(spec: EncoderSpec) -> Any:
        rows = rng.standard_normal((5, spec.dim)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    parts = [unit(newer.encoder), unit(older.encoder)]
    joined = np.concatenate(parts, axis=1) / np.float32(np.sqrt(2))
    for key, head in whole.heads.items():
        assert head.classifier is not None
        members = [model.heads[key].scores(rows) for model, rows in zip((newer, older), parts, strict=True)]
        mean = np.exp(np.mean([np.log(np.maximum(scores, 1e-12)) for scores in members], axis=0))
        mean /= mean.sum(axis=1, keepdims=True)
        assert np.allclose(head.classifier.predict(joined), mean, atol=1e-4)


def test_it_predicts_learns_on_and_is_kept_with_its_members(two: Any) -> None:
    made = ensemble(two.house, two.key, ["espalier-v1", "espalier-v2"])
    promotion.promote(two.house, two.key, made.name)
    assert len(two.predict(two.tasks[150:])) == 20
    after = two.train()
    own = OwnEncoder.of(after)
    assert own is not None
    assert own.homes() == {"espalier-v2", "espalier-v3"}
    model, tuned = model_of(two, after.name), model_of(two, "espalier-v2")
    learned = np.isin(model.rows.media, tuned.rows.media[tuned.rows.part("train")])
    for head in model.heads.values():
        assert head.evidence is not None
        assert not head.evidence.counted[learned].any()
    two.train()
    archive(two.house, two.key, keep=1)
    assert two.house.version(two.project, "espalier-v2").directory
    assert len(two.predict(two.tasks[150:])) == 20


def test_it_is_judged_on_what_no_member_has_seen(two: Any) -> None:
    ensemble(two.house, two.key, ["espalier-v1", "espalier-v2"])
    whole, tuned = (model_of(two, name) for name in ("espalier-v3", "espalier-v2"))
    for key, head in whole.heads.items():
        other = tuned.heads[key].evidence
        assert head.evidence is not None
        assert other is not None
        assert head.evidence.counted.any()
        assert not (head.evidence.counted & ~other.counted).any()


def test_a_teacher_may_be_an_ensemble(two: Any) -> None:
    made = ensemble(two.house, two.key, ["espalier-v1", "espalier-v2"])
    parameters = TuningParameters(model="tiny", epochs=5, teacher=made.name)
    assert tuning.tune(two.house, two.key, parameters, Progress()).name == "espalier-v4"


@pytest.mark.parametrize(
    ("names", "said"),
    [(["espalier-v1"], "at least two"), (["espalier-v1", "espalier-v1"], "at least two")],
    ids=["one", "the same twice"],
)
def test_one_version_is_no_ensemble(two: Any, names: list[str], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        ensemble(two.house, two.key, names)


def test_a_question_that_one_member_does_not_answer_is_not_answered(two: Any) -> None:
    whole, tuned = (model_of(two, name) for name in ("espalier-v1", "espalier-v2"))
    heads = {key: head for key, head in tuned.heads.items() if key[0] != "open digit"}
    partial = Model("", "", tuned.encoder, 0, heads, tuned.rows)
    spec = EncoderSpec("both", whole.encoder.dim + tuned.encoder.dim, (96, 96), "0" * 16)
    made = ensemble_model([whole, partial], ["a", "b"], spec)
    assert "do not all know" in made.heads["open digit", ()].reason
    assert made.heads["loop", ()].trained
