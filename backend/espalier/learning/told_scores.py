"""Answers as scores: what somebody said of frames, in the form in which a classifier would have said it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Path

from ..contract import Ids, Scores


def told_scores(
    answers: Sequence[Answer], parent: Path, options: Sequence[Path], numbers: Ids, *, exclusive: bool
) -> Scores:
    """One column per option, float32 (n, k), within [0, 1]; where they are exclusive one more, for everything else.

    answers: to the question's classification alone. numbers int64 (n,): frames. An option is as sure as the surest
    answer that names it or something below it; below a parent, in proportion to how sure the parent is, so that along
    a path the product of the steps is what was said. Exclusive rows sum to 1.
    """
    above = _sureness(answers, parent, numbers) if parent else np.ones(len(numbers), np.float32)
    scores = np.zeros((len(numbers), len(options) + exclusive), np.float32)
    for column, path in enumerate(options):
        scores[:, column] = _sureness(answers, path, numbers)
    scores /= np.where(above > 0, above, 1)[:, None]
    if exclusive:
        scores /= np.maximum(scores.sum(axis=1, keepdims=True), 1)
        scores[:, -1] = 1 - scores[:, :-1].sum(axis=1)
    return np.clip(scores, 0, 1)


def _sureness(answers: Sequence[Answer], path: Path, numbers: Ids) -> NDArray[np.float32]:
    sure = np.zeros(len(numbers), np.float32)
    for answer in answers:
        if answer.option[: len(path)] == path:
            said = _inside(numbers, answer.frames)
            sure[said] = np.maximum(sure[said], np.float32(answer.confidence))
    return sure


def _inside(numbers: Ids, frames: Frames) -> NDArray[np.bool_]:
    edges = np.array(frames.ranges, np.int64).reshape(-1)
    return np.asarray(np.searchsorted(edges, numbers, side="right") % 2 == 1)
