"""Promised cutoffs: one per option, so that each option's answers are right as often as was asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..learning.head import Head
from ..learning.rows import Rows
from .own_cutoffs import Kept
from .promise import Candidates


@dataclass(frozen=True)
class Promised:
    """A cutoff in [0, 1], and whether the option keeps the target by it; 1 where no cutoff does."""

    cutoff: float
    kept: Kept


def promised(head: Head, rows: Rows, target: float, asked: NDArray[np.bool_]) -> dict[int, Promised]:
    """By column, for the options that are asked about, bool (k,).

    Few labels an option can seldom promise anything alone; those that cannot share the cutoff by which they keep the
    target together. On real pictures a twentieth more frames were labeled so, and promises kept nearly as often.
    Test rows have no say.
    """
    found: dict[int, Promised] = {}
    for column in np.flatnonzero(asked).tolist():
        cutoff = _lowest(head, rows, target, np.arange(len(asked)) == column)
        if cutoff is not None:
            found[column] = Promised(cutoff, "alone")
    rest = asked & ~np.isin(np.arange(len(asked)), list(found))
    cutoff = _lowest(head, rows, target, rest) if rest.sum() > 1 else None
    for column in np.flatnonzero(rest).tolist():
        found[column] = Promised(1.0, "no") if cutoff is None else Promised(cutoff, "together")
    return found


def _lowest(head: Head, rows: Rows, target: float, options: NDArray[np.bool_]) -> float | None:
    evidence = head.evidence
    if evidence is None:
        return None
    seen = rows.folds >= 0
    candidates = Candidates.of(
        evidence.scores[seen],
        evidence.targets[seen],
        evidence.counted[seen],
        rows.groups[seen],
        rows.folds[seen],
        exclusive=head.exclusive,
        options=options,
    )
    return candidates.promised([target])[0]
