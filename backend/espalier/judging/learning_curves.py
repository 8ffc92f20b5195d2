"""Learning curves: how a classifier got better, step by step, on frames that it learned from and on others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import Mask, Scores, Targets
from ..learning import metrics
from ..learning.head import Head, Steps
from ..learning.metrics import Bits
from ..learning.parts import PARTS
from ..learning.rows import Rows


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
