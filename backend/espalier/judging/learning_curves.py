"""Learning curves: how a classifier got better, step by step, on frames that it learned from and on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import Mask, Scores, Targets
from ..learning import metrics
from ..learning.head import Head, Steps
from ..learning.metrics import Bits
from ..learning.parts import PARTS, Part
from ..learning.rows import Rows
from . import confusion


def learning_curves(head: Head, rows: Rows) -> dict[str, Any] | None:
    """Plain JSON values: {"steps": [...], "train": {"rows", "loss", "accuracy", "macro_f1"}, "validation": {...}}.

    The figures are lists, one value per step, of scores that are not calibrated, where the best option is answered (or,
    where several may hold, each above a half). A part without rows is left out. None where nobody watched the learning.
    """
    if head.steps is None or head.evidence is None:
        return None
    steps, evidence = head.steps, head.evidence
    found: dict[str, Any] = {"steps": steps.numbers.tolist()}
    for number, part in enumerate(PARTS):
        here = rows.parts[steps.rows] == number
        targets, mask = evidence.targets[steps.rows[here]], evidence.mask[steps.rows[here]]
        if not mask.any():
            continue
        measured = [
            metrics.measure(
                scores, answers_of(scores, targets, mask, exclusive=head.exclusive), targets, mask,
                exclusive=head.exclusive,
            )
            for scores in steps.scores[:, here]
        ]  # fmt: skip
        found[part] = {
            "rows": int(measured[0]["rows"]),
            "loss": [one["log_loss"] for one in measured],
            "accuracy": [one["accuracy"] for one in measured],
            "macro_f1": [one["macro_f1"] for one in measured],
        }
    return found


@dataclass(frozen=True)
class StepFigures:
    """Of the watched frames of a part: how each option did at every step, answered as in `learning_curves`.

    frames: how many; positives int64 (k,): on how many each option holds. precision, recall and f1 float64 (s, k), NaN
    where nothing was answered, or nothing holds. confusion int64 (s, k + 1, k + 1), as `confusion.matrix` has it.
    """

    frames: int
    positives: NDArray[np.int64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    confusion: NDArray[np.int64]


def step_figures(head: Head, rows: Rows) -> dict[Part, StepFigures]:
    """By part; one without watched frames is left out, and all are where nobody watched the learning."""
    found: dict[Part, StepFigures] = {}
    if head.steps is None or head.evidence is None:
        return found
    steps, evidence = head.steps, head.evidence
    for number, part in enumerate(PARTS):
        here = (rows.parts[steps.rows] == number) & evidence.mask[steps.rows].any(axis=1)
        if not here.any():
            continue
        targets, mask = evidence.targets[steps.rows[here]], evidence.mask[steps.rows[here]].astype(np.bool_)
        holds = mask & (targets > 0.5)
        answered = [
            answers_of(scores, targets, mask, exclusive=head.exclusive) & mask for scores in steps.scores[:, here]
        ]
        right = np.array([(one & holds).sum(axis=0) for one in answered], np.float64)
        given = np.array([one.sum(axis=0) for one in answered], np.float64)
        positives = holds.sum(axis=0)
        found[part] = StepFigures(
            int(here.sum()),
            positives.astype(np.int64),
            _share(right, given),
            _share(right, np.broadcast_to(positives, right.shape)),
            _share(2 * right, given + positives),
            np.stack([confusion.matrix(one, holds) for one in answered]),
        )
    return found


def _share(part: NDArray[np.float64], whole: NDArray[np.generic]) -> NDArray[np.float64]:
    of = np.asarray(whole, np.float64)
    return np.asarray(np.divide(part, of, out=np.full(part.shape, np.nan), where=of > 0))


def answers_of(scores: Scores, targets: Targets, mask: Mask, *, exclusive: bool) -> Bits:
    """What would be answered without cutoffs, bool (n, k): the best option, if any is better than none of them."""
    if not exclusive:
        return np.asarray(scores >= 0.5)
    best = np.zeros(scores.shape, np.bool_)
    best[np.arange(len(scores)), scores.argmax(axis=1)] = True
    return np.asarray(best & (scores.max(axis=1) >= 1.0 - scores.sum(axis=1))[:, None])


def sample(head: Head, rows: Rows) -> dict[str, NDArray[np.generic]]:
    """The watched frames at every step: numbers int64 (s,), scores float32 (s, m, k), and of each frame its row int64,
    media str, frame int64, targets float32 (m, k) and mask bool (m, k). Empty where nobody watched."""
    if head.steps is None or head.evidence is None:
        return {}
    steps: Steps = head.steps
    return {
        "numbers": steps.numbers,
        "scores": steps.scores,
        "rows": steps.rows,
        "media": rows.media[steps.rows],
        "frames": rows.frames[steps.rows],
        "targets": head.evidence.targets[steps.rows],
        "mask": head.evidence.mask[steps.rows],
    }
