"""What a part of the rows says about one question: scores, answers and the truth side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..contract import Ids, Mask, Scores, Targets
from ..learning.cutoffs import Cutoffs, answered
from ..learning.head import Head
from ..learning.metrics import Bits
from ..learning.model import Model
from ..learning.questions import Key
from ..learning.rows import Rows

JudgedPart = Literal["train", "validation", "test", "cross"]
JUDGED_PARTS: tuple[JudgedPart, ...] = ("train", "validation", "test", "cross")
"""`cross`: training and validation rows, each scored by a classifier that had not seen its group."""


@dataclass(frozen=True)
class Judged:
    """Arrays of one row per row of the part, in the order of `rows`, int64 (n,), which number the model's `Rows`.

    scores float32 (n, k) calibrated; raw float32 (n, k) before that, None on the training part, whose scores are by the
    classifier that learned from it. targets float32 (n, k); mask bool (n, k): the cells that can be judged. answers
    bool (n, k), never where masked. cutoffs float64 (k,): those that hold (which on rows they were chosen on are not
    quite those that answered: see `Evidence.answered`).
    """

    rows: Ids
    groups: Ids
    scores: Scores
    raw: Scores | None
    targets: Targets
    mask: Mask
    answers: Bits
    cutoffs: Cutoffs

    @property
    def holds(self) -> Bits:
        return np.asarray(self.mask & (self.targets > 0.5))

    @property
    def said(self) -> Bits:
        """Rows on which anything can be judged, bool (n,)."""
        return np.asarray(self.mask.any(axis=1))


def part_rows(rows: Rows, part: JudgedPart) -> Ids:
    """The numbers of the rows of a part."""
    return np.flatnonzero(rows.folds >= 0 if part == "cross" else rows.part(part)).astype(np.int64)


def judged(model: Model, head: Head, part: JudgedPart, cutoffs: Mapping[Key, Cutoffs] | None = None) -> Judged | None:
    """None where the head is not trained. cutoffs: by question, instead of those that training chose.

    Where they are those of training, or none are given, the rows they were chosen on are answered by cutoffs that other
    folds chose.
    """
    evidence = head.evidence
    if evidence is None:
        return None
    rows = part_rows(model.rows, part)
    seen = part == "train"
    scores = (evidence.fitted if seen else evidence.scores)[rows]
    mask = (evidence.mask if seen else evidence.counted)[rows]
    given = (cutoffs or {}).get(head.key, head.cutoffs)
    if seen or not np.array_equal(given, head.cutoffs):
        answers = answered(scores, given, exclusive=head.exclusive)
    else:
        answers = evidence.answered[rows]
    return Judged(
        rows,
        model.rows.groups[rows],
        scores,
        None if seen else evidence.raw[rows],
        evidence.targets[rows],
        mask,
        answers & mask,
        np.asarray(given, np.float64),
    )
