"""A tuned head: the layer that a tuner has learned, as a classifier like any other, judged on what it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, EncoderSpec, Ids, Scores
from .dealing import Bits
from .head import Head, Steps
from .linear import LinearClassifier
from .measured_head import Scored, measured_head
from .model import Model
from .parts import TRAIN
from .questions import Key
from .rows import Rows
from .tuning_lesson import Asked, TuningLesson

PLUGIN = "linear"
WATCHED = 384
"""Validation frames whose scores are kept at every evaluation step."""

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""coefficients float32 (k, dim) and intercepts float32 (k,); with a background, one row more."""


def tuned_model(
    lesson: TuningLesson,
    encoder: EncoderSpec,
    layers: Sequence[Layer],
    embeddings: Embeddings,
    steps: Sequence[Steps | None] = (),
) -> Model:
    """The model of a tuned network. embeddings float32 (n, encoder.dim), by it, of every row of the lesson.

    layers, steps: one for each question that was asked, in the order of the lesson. Nothing is fitted here but
    calibration and cutoffs, on validation rows, each fold judged by the others.
    """
    steps = steps or [None] * len(lesson.asked)
    learned = lesson.seen | (lesson.rows.parts == TRAIN)
    heads: dict[Key, Head] = {}
    for asked, layer, watched in zip(lesson.asked, layers, steps, strict=True):
        heads[asked.classification, asked.parent] = _tuned(asked, layer, embeddings, lesson.rows, learned, watched)
    heads |= {head.key: head for head in lesson.untrained}
    return Model(lesson.ontology_fingerprint, lesson.data_fingerprint, encoder, lesson.seed, heads, lesson.rows)


def _tuned(asked: Asked, layer: Layer, embeddings: Embeddings, rows: Rows, learned: Bits, steps: Steps | None) -> Head:
    classifier = linear_of(*layer, exclusive=asked.exclusive)
    scores = classifier.predict(embeddings)
    scored = Scored(
        asked.classification,
        asked.parent,
        asked.options,
        asked.exclusive,
        asked.background,
        PLUGIN,
        classifier,
        asked.targets,
        asked.mask,
        scores,
        scores,
        asked.mask & ~learned[:, None],
    )
    return measured_head(scored, rows, asked.counts, list(asked.notes), steps=steps)


def linear_of(
    coefficients: NDArray[np.float32], intercepts: NDArray[np.float32], *, exclusive: bool
) -> LinearClassifier:
    """A linear classifier that was fitted elsewhere."""
    classifier = LinearClassifier()
    classifier.exclusive = exclusive
    classifier.coefficients = coefficients.reshape(len(coefficients), -1)
    classifier.intercepts = intercepts.reshape(-1)
    return classifier


def watched_rows(lesson: TuningLesson, number: int) -> Ids:
    """Which validation rows of a question are watched while a tuner learns: places among the validation rows."""
    asked = lesson.asked[number]
    validation = lesson.rows.part("validation")
    said = np.flatnonzero(asked.mask[validation].any(axis=1))
    if len(said) > WATCHED:
        said = np.sort(np.random.default_rng(lesson.seed).choice(said, WATCHED, replace=False))
    return said.astype(np.int64)


def steps_of(lesson: TuningLesson, kept: Mapping[int, Sequence[Scores]]) -> list[Steps | None]:
    """For each question, how the watched rows were scored. kept: by step, one array per question, of these rows."""
    numbers = np.array(sorted(kept), np.int64)
    validation = np.flatnonzero(lesson.rows.part("validation"))
    found: list[Steps | None] = []
    for number, asked in enumerate(lesson.asked):
        at = watched_rows(lesson, number)
        if not len(numbers) or not len(at):
            found.append(None)
            continue
        scores = np.stack([kept[step][number][:, : len(asked.options)] for step in numbers.tolist()])
        found.append(Steps(numbers, validation[at].astype(np.int64), scores.astype(np.float32)))
    return found
