"""Models whose scores and truths a test gives, without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from espalier.contract import EncoderSpec
from espalier.learning.calibration import Calibration
from espalier.learning.cutoffs import answered
from espalier.learning.head import Evidence, Head
from espalier.learning.linear import LinearClassifier
from espalier.learning.model import Model
from espalier.learning.questions import Key
from espalier.learning.rows import Rows
from espalier_ontology.tree import Ontology

JudgedModel = Callable[..., Model]


@pytest.fixture(scope="session")
def judged_model() -> JudgedModel:
    """judged_model(ontology, {key: {"scores": ..., "targets": ...}}, parts=..., groups=..., media=..., frames=...).

    A question takes mask (all said), exclusive (as its classification), cutoffs (0.5), options (all siblings), raw and
    fitted (the scores), answered (by the cutoffs), counted (the mask), background and steps, too. parts (n,): 0 train,
    1 validation, 2 test; all training by default. Every row is a media and a group of its own.
    """

    def build(
        ontology: Ontology,
        questions: Mapping[Key, Mapping[str, Any]],
        *,
        parts: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        media: ArrayLike | None = None,
        frames: ArrayLike | None = None,
    ) -> Model:
        n = len(next(iter(questions.values()))["scores"]) if questions else 0
        part = np.zeros(n, np.int8) if parts is None else np.asarray(parts, np.int8)
        rows = Rows(
            np.array([f"m{number}" for number in range(n)]) if media is None else np.asarray(media, np.str_),
            np.zeros(n, np.int64) if frames is None else np.asarray(frames, np.int64),
            np.arange(n) if groups is None else np.asarray(groups, np.int64),
            np.where(part == 2, -1, np.where(part == 1, 5, np.arange(n) % 5)).astype(np.int64),
            part,
        )
        heads = [_head(ontology, key, question) for key, question in questions.items()]
        spec = EncoderSpec("none", 1, (1, 1), "0" * 16)
        return Model(ontology.fingerprint, "data", spec, 0, {head.key: head for head in heads}, rows)

    return build


def _head(ontology: Ontology, key: Key, question: Mapping[str, Any]) -> Head:
    classification = ontology.classification(key[0])
    siblings = next(each.options for each in classification.siblings() if each.parent == key[1])
    options = tuple(question.get("options", siblings))
    scores = np.asarray(question["scores"], np.float32)
    exclusive = bool(question.get("exclusive", classification.exclusive))
    cutoffs = np.broadcast_to(np.asarray(question.get("cutoffs", 0.5), np.float64), (len(options),)).copy()
    targets = np.asarray(question.get("targets", np.zeros(scores.shape)), np.float32)
    mask = np.asarray(question.get("mask", np.ones(scores.shape)), np.bool_)
    evidence = Evidence(
        targets,
        mask,
        np.asarray(question.get("raw", scores), np.float32),
        scores,
        np.asarray(question.get("fitted", scores), np.float32),
        np.asarray(question.get("answered", answered(scores, cutoffs, exclusive=exclusive)), np.bool_),
        np.asarray(question.get("counted", mask), np.bool_),
    )
    held = dict(zip(options, (mask & (targets > 0.5)).sum(axis=0).tolist(), strict=True))
    return Head(
        key[0],
        key[1],
        options,
        exclusive,
        "linear",
        LinearClassifier(),
        Calibration.identity(len(options), exclusive=exclusive),
        cutoffs,
        {path: held.get(path, 0) for path in siblings},
        evidence=evidence,
        steps=question.get("steps"),
        background=bool(question.get("background", False)),
    )
