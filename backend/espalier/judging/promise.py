"""Promises: the lowest cutoff at which answers are right as often as was asked, on frames that nobody has seen yet.

The lowest cutoff at which the answers *were* right so often flatters itself: of many cutoffs it takes the luckiest. On
real pictures, a promise of 98 % was then kept by one model in two. So two things must hold of the answers at or above a
cutoff: they were right so often; and counted together with what their calibrated scores expect of them, as if that were
`_EXPECTED` answers more, they leave a chance of `DOUBT` that the precision is lower. Measured on twelve questions about
real pictures, 60 models each, a promise of 98 % is kept by 82 models in 100 and labels 22 % of the frames; an exact
bound on the counts alone (Clopper-Pearson, 90 % sure) is kept by 86 and labels 14 %. Those that are not kept miss it by
what a few unseen pictures more or less can do: with 97 in 100, the unseen pictures do not contradict the promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv  # type: ignore[import-untyped]

from ..contract import Ids, Mask, Scores, Targets
from ..learning.cutoffs import highest
from .proportion import Interval, clopper_pearson, effective, likeness

DOUBT = 0.05
"""The chance that is taken of a promise not being kept."""
_EXPECTED = 50.0
_FEWEST = 5.0
"""Independent answers under which nothing is promised."""
_TINY = 1e-9


@dataclass(frozen=True)
class Candidates:
    """Answers that a cutoff would let through or not, the surest first; every array is (m,).

    score float64 in [0, 1]; right bool; row, group and fold int64, by which `row` tells frames apart, over all
    questions that are asked of them.
    """

    score: NDArray[np.float64]
    right: NDArray[np.bool_]
    row: Ids
    group: Ids
    fold: Ids

    @classmethod
    def of(
        cls,
        scores: Scores,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        folds: Ids,
        *,
        exclusive: bool,
        options: NDArray[np.bool_] | None = None,
    ) -> Candidates:
        """From the (n, k) arrays of one head: where exclusive the best option of each row, else every cell.

        options bool (k,): only answers with these.
        """
        could = mask & highest(scores) if exclusive else mask
        row, option = np.nonzero(could if options is None else could & options)
        return cls(
            scores[row, option].astype(np.float64), targets[row, option] > 0.5, row, groups[row], folds[row]
        )._sorted()

    @classmethod
    def joined(cls, parts: Sequence[Candidates]) -> Candidates:
        """Of several heads, with one cutoff for all. Rows of one number stay one frame only within a head."""
        rows, taken = [], 0
        for part in parts:
            rows.append(part.row + taken)
            taken += int(part.row.max(initial=-1)) + 1
        if not parts:
            none = np.zeros(0, np.int64)
            return cls(np.zeros(0), np.zeros(0, np.bool_), none, none, none)
        columns = [[getattr(part, name) for part in parts] for name in ("score", "right", "group", "fold")]
        score, right, group, fold = (np.concatenate(column) for column in columns)
        return cls(score, right, np.concatenate(rows), group, fold)._sorted()

    def __len__(self) -> int:
        return len(self.score)

    def only(self, kept: NDArray[np.bool_]) -> Candidates:
        """Some of them, bool (m,), still in order."""
        return Candidates(self.score[kept], self.right[kept], self.row[kept], self.group[kept], self.fold[kept])

    @cached_property
    def alike(self) -> float:
        """How much alike answers on one group of frames are, in [0, 1]."""
        return likeness(self.right, self.score, self.group) if len(self) else 0.0

    def precision(self, kept: NDArray[np.bool_]) -> Interval:
        """Where the precision of some of them lies, with 95 % confidence; answers of one group count for less."""
        part = self.only(kept)
        if not len(part):
            return Interval(0.0, 1.0)
        worth = float(effective(part.group, self.alike)[-1])
        return clopper_pearson(float(part.right.mean()) * worth, worth)

    def promised(self, targets: Sequence[float]) -> list[float | None]:
        """For each target the lowest cutoff that keeps it, as far as these can tell; None where none does."""
        share, yes, no, where = self._evidence()
        found: list[float | None] = []
        for target in targets:
            likely = np.flatnonzero((share >= target) & (yes >= target * (yes + no)))
            sure = likely[betainc(yes[likely], no[likely], target) <= DOUBT]
            found.append(float(self.score[where[sure[-1]]]) if len(sure) else None)
        return found

    def best_promise(self) -> tuple[float, float] | None:
        """The highest target that any cutoff keeps, and that cutoff; None where there are too few answers."""
        share, yes, no, where = self._evidence()
        if not len(where):
            return None
        low = np.minimum(share, betaincinv(yes, no, DOUBT))
        top = int(low.argmax())
        return float(low[top]), float(self.score[where[top]])

    def _evidence(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], Ids]:
        """Where there can be a cutoff, int64 (c,), and for each the share of right answers at or above it, and how
        many right and wrong ones it is worth with what was expected of them, float64 (c,)."""
        parts = np.append(self.score[:-1] != self.score[1:], True)[: len(self)]  # a cutoff cannot part equal scores
        worth = effective(self.group, self.alike)
        where = np.flatnonzero(parts & (worth >= _FEWEST))
        counts, worth = where + 1.0, worth[where]
        share, expected = np.cumsum(self.right)[where] / counts, np.cumsum(self.score)[where] / counts
        yes = share * worth + expected * _EXPECTED
        no = (1 - share) * worth + (1 - expected) * _EXPECTED
        return share, np.maximum(yes, _TINY), np.maximum(no, _TINY), where

    def _sorted(self) -> Candidates:
        order = np.argsort(-self.score, kind="stable")
        return Candidates(self.score[order], self.right[order], self.row[order], self.group[order], self.fold[order])
