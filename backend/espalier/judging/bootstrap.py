"""Bootstrap: how far a figure may be off, found by drawing the groups that it was measured on again and again.

Groups are drawn, not rows: frames of one video, or copies of one picture, say the same thing many times. Where
everything was right, every drawing is, too, and that interval would have no width: there are too few rows to see an
error, not none. There stands Wilson's score interval instead (`where_all_agree`; Wilson, E. B., Probable Inference, the
Law of Succession, and Statistical Inference, JASA 22, 1927, pp. 209-212), which at n of n begins at n / (n + 3.84).
"""

from __future__ import annotations

import numpy as np

from ..contract import Ids
from ..learning.metrics import Numbers
from .proportion import wilson

RESAMPLES = 1000
_SHARE = 2.5
"""Percent that is cut off at either end of a 95 % interval."""
_EXACT = 1 << 24
"""Integers up to which float32 counts exactly."""
_AT_ONCE = 2_000_000

Interval = list[float]
"""[low, high]"""


def resampled(counts: Numbers, groups: Ids, *, resamples: int, seed: int) -> Numbers:
    """Column sums over groups drawn with replacement, float64 (resamples, m); as many groups as there are each time.

    counts (n, m): what each row adds to each sum; groups int64 (n,). Figures that are made of sums (accuracy, F1) are
    then made of these, for all resamples at once. Columns of several models give paired resamples.
    """
    if not len(groups):
        return np.zeros((resamples, counts.shape[1]))
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(groups[order]) != 0])
    by_group = np.add.reduceat(counts[order], starts, axis=0)
    drawn = len(by_group)
    exact = float(np.abs(by_group).sum(axis=0).max(initial=0.0)) * 4 < _EXACT
    sums_of = by_group.astype(np.float32) if exact else by_group
    rng = np.random.default_rng(seed)
    sums = np.empty((resamples, counts.shape[1]))
    step = max(1, _AT_ONCE // drawn)
    for start in range(0, resamples, step):
        some = min(step, resamples - start)
        times = np.empty((some, drawn), sums_of.dtype)
        for row in times:
            row[:] = np.bincount(rng.integers(0, drawn, drawn), minlength=drawn)
        sums[start : start + some] = times @ sums_of
    return sums


def intervals(values: Numbers) -> list[Interval | None]:
    """The 95 % percentile interval of each column of (resamples, m); NaN counts for nothing, None where all are."""
    found: list[Interval | None] = []
    for column in values.T:
        known = column[~np.isnan(column)]
        if not len(known):
            found.append(None)
            continue
        low, high = np.percentile(known, [_SHARE, 100.0 - _SHARE])
        found.append([float(low), float(high)])
    return found


def where_all_agree(interval: Interval | None, share: float, worth: float) -> Interval | None:
    """The interval as it is, or Wilson's where all resamples gave the same share.

    share in [0, 1]: what was measured; worth: on how many independent rows (`worth_of`).
    """
    if interval is None or interval[1] > interval[0] or not 0.0 <= share <= 1.0:
        return interval
    found = wilson(share * worth, worth)
    return [found.low, found.high]


def f1_where_all_agree(interval: Interval | None, f1: float, worth: float) -> Interval | None:
    """The same for an F1, by the share right / (right + wrong + missed) from which it follows: f1 = 2 s / (1 + s).

    worth: on how many independent rows of those where the option holds or was answered.
    """
    found = where_all_agree(interval, f1 / (2.0 - f1), worth)
    return interval if found is interval or found is None else [2.0 * share / (1.0 + share) for share in found]


def worth_of(counts: Numbers, groups: Ids) -> float:
    """How many independent rows these are worth: as many as groups where all are of one size (Kish), fewer else.

    counts float64 (n,), 0 and up: how much each row counts; groups int64 (n,).
    """
    _, numbers = np.unique(groups, return_inverse=True)
    sizes = np.bincount(numbers, weights=counts)
    squares = float((sizes**2).sum())
    return float(sizes.sum()) ** 2 / squares if squares else 0.0
