"""How good a network is on the validation pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from espalier.contract import Ids, Scores

from .lesson import Lesson
from .loss import losses, mean_loss, scores
from .sureness import sureness


@dataclass(frozen=True)
class Judgement:
    """loss: cross-entropy, each head counting alike; nan where nothing was said of any row. scores: by head, (v, k).

    Both are of logits times `sureness`, float32 (heads,), which is part of a head when it is kept.
    """

    loss: float
    sureness: Tensor
    figures: dict[str, float]
    scores: dict[str, Scores]


def judge(lesson: Lesson, rows: Ids, logits: Tensor, there: NDArray[np.bool_]) -> Judgement:
    """logits float32 (v, K) of these rows; where a picture is not there, they are not looked at, and scores say
    nothing: all options alike."""
    logits = torch.where(torch.from_numpy(there)[:, None], logits.float().cpu(), torch.zeros(()))
    targets, cells = lesson.targets[rows], lesson.cells[rows] * torch.from_numpy(there)[:, None]
    usual = torch.stack([cells[:, span.start : span.stop].mean() for span in lesson.spans])
    said = bool((usual > 0).any())
    factors = sureness(logits, targets, cells, lesson.spans)
    logits = logits * lesson.spread(factors)
    loss = float(mean_loss(losses(logits, targets, cells, lesson.spans), usual)) if said else float("nan")
    found = scores(logits, lesson.spans).numpy()
    accuracy, f1, by_head = [], [], {}
    for key, span in zip(lesson.keys, lesson.spans, strict=True):
        part = slice(span.start, span.stop)
        by_head[key] = np.ascontiguousarray(found[:, part])
        counted = (cells[:, part] > 0).numpy()
        if not counted.any():
            continue
        wanted, given = targets[:, part].numpy() >= 0.5, found[:, part] >= 0.5
        if span.exclusive:
            wanted, given = (np.eye(span.stop - span.start, dtype=np.bool_)[a.argmax(axis=1)]
                             for a in (targets[:, part].numpy(), found[:, part]))  # fmt: skip
            asked = counted.any(axis=1)
            accuracy.append(float((wanted & given)[asked].sum() / asked.sum()))
        else:
            accuracy.append(float((wanted == given)[counted].mean()))
        f1.append(_macro_f1(wanted & counted, given & counted))
    figures = {"validation_loss": loss}
    if said:
        figures |= {"accuracy": float(np.mean(accuracy)), "macro_f1": float(np.mean(f1))}
    return Judgement(loss, factors, figures, by_head)


def _macro_f1(wanted: NDArray[np.bool_], given: NDArray[np.bool_]) -> float:
    """Over the options that hold somewhere or were given somewhere."""
    right, total = (wanted & given).sum(axis=0), wanted.sum(axis=0) + given.sum(axis=0)
    return float((2 * right[total > 0] / total[total > 0]).mean()) if total.any() else 0.0
