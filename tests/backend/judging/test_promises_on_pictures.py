"""Promises and probabilities on real pictures: what is said of frames nobody has seen, and what they then show."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.judging.coverage import coverage_table
from espalier.judging.proportion import clopper_pearson
from espalier.learning.metrics import calibration_error
from espalier.learning.model import Model
from espalier.learning.questions import Annotated
from espalier.learning.rows import Located
from espalier.learning.targets import lesson
from espalier.learning.training import train
from espalier.media.picture import read_picture
from espalier.plugins.registry import open_encoder
from espalier.settings import Settings
from espalier_ontology.answers import Answer
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option

SETS = {"traffic_light_imbalanced": "label", "day_night": "label", "cifar100_nested": "coarse", "pcb_tiles": "quality"}
SEEDS = range(8)
TARGETS = (0.9, 0.95, 0.98)


@dataclass(frozen=True)
class Unseen:
    """One model, with the pictures that it was not given: scores float32 (n, k) before and after calibration."""

    model: Model
    raw: NDArray[np.float32]
    scores: NDArray[np.float32]
    targets: NDArray[np.float32]


@pytest.fixture(scope="module")
def unseen(shared: Callable[[str], Path]) -> dict[str, list[Unseen]]:
    """By set, models of half of its pictures each. Pictures of one group (a circuit board) stay on one side."""
    encoder = open_encoder(Settings(encoder="classic"), device="cpu")
    found: dict[str, list[Unseen]] = {}
    with threadpool_limits(1):
        for name, column in SETS.items():
            directory = shared(f"data/images/{name}")
            with (directory / "labels.csv").open(newline="") as file:
                rows = list(csv.DictReader(file))
            size = encoder.spec.input_size
            embeddings = encoder.encode(np.stack([read_picture(directory / row["filename"], size) for row in rows]))
            names = sorted({row[column] for row in rows})
            options = tuple(Option((one,)) for one in names)
            asked = Classification("what", "m", "Choices", "single", "media", options)
            ontology = Ontology((MediaTag("m", "image", "m"),), (asked,))
            labels = np.array([names.index(row[column]) for row in rows])
            groups = np.array([row.get("source_image", str(number)) for number, row in enumerate(rows)])
            for seed in SEEDS:
                given = np.isin(groups, np.random.default_rng(seed).permutation(np.unique(groups))[::2])
                annotated = [
                    Annotated(f"{number:05d}", groups[number], (Answer("what", options[labels[number]].path),))
                    for number in np.flatnonzero(given)
                ]
                asked_of = lesson(ontology, annotated).questions
                model = train(ontology, asked_of, partial(_rows, embeddings), encoder=encoder.spec)
                head = model.heads["what", ()]
                assert head.classifier is not None
                raw = head.classifier.predict(embeddings[~given])
                targets = np.eye(len(names), dtype=np.float32)[labels[~given]]
                found.setdefault(name, []).append(Unseen(model, raw, head.calibration(raw), targets))
    return found


def test_what_is_promised_of_a_precision_holds_on_pictures_nobody_has_seen(unseen: dict[str, list[Unseen]]) -> None:
    possible, off, lucky, promises, coverage_off = [], [], [], 0, []
    for one in (one for models in unseen.values() for one in models):
        best = one.scores.argmax(axis=1)
        confidence, right = one.scores.max(axis=1), one.targets[np.arange(len(best)), best] > 0.5
        table = coverage_table(one.model, TARGETS)
        for found in table["classifications"][0]["targets"]:
            naive = _lowest_that_was_right(one.model, found["target"])
            lucky.append(_is_possible(right[confidence >= naive], found["target"]))
            if not found["reached"]:
                continue
            promises += 1
            answers = right[confidence >= found["cutoff"]]
            possible.append(_is_possible(answers, found["target"]))
            if len(answers) and found["cross"]["answers"]:
                off.append(found["cross"]["precision"] - answers.mean())
                coverage_off.append(found["cross"]["coverage"] - len(answers) / len(right))
    assert promises >= 50
    assert np.mean(possible) >= 0.95  # the pictures do not contradict the promise (one-sided, 95 %)
    assert np.mean(lucky) < np.mean(possible) - 0.05  # while they do contradict one that takes the luckiest cutoff
    assert abs(np.mean(off)) < 0.02  # what was told of them is what they show
    assert -0.1 < np.mean(coverage_off) < 0.03  # and no more is promised to be labeled than is


def test_calibration_lowers_the_calibration_error_on_pictures_nobody_has_seen(unseen: dict[str, list[Unseen]]) -> None:
    errors = {}
    for name, models in unseen.items():
        errors[name] = np.mean([[_error(one, one.raw), _error(one, one.scores)] for one in models], axis=0)
    before, after = np.mean(list(errors.values()), axis=0)
    assert after < 0.75 * before
    assert sum(after < before for before, after in errors.values()) >= 3


def _rows(embeddings: NDArray[np.float32], located: Located) -> NDArray[np.float32]:
    return np.asarray(embeddings[located.media.astype(np.int64)])


def _is_possible(answers: NDArray[np.bool_], target: float) -> bool:
    return clopper_pearson(int(answers.sum()), len(answers), 0.90).high >= target


def _lowest_that_was_right(model: Model, target: float) -> float:
    """The lowest cutoff at which answers to the model's own rows were right this often."""
    evidence = model.heads["what", ()].evidence
    assert evidence is not None
    best = evidence.scores.argmax(axis=1)
    confidence, right = evidence.scores.max(axis=1), evidence.targets[np.arange(len(best)), best] > 0.5
    order = np.argsort(-confidence)
    enough = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= target)
    return float(confidence[order][enough[-1]]) if len(enough) else 1.1


def _error(one: Unseen, scores: NDArray[np.float32]) -> float:
    return calibration_error(scores, one.targets, np.ones_like(one.targets, np.bool_), exclusive=True)
