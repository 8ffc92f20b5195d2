"""Bootstrap: how far a figure may be off, found by drawing the groups that it was measured on again and again.

Groups are drawn, not rows: frames of one video, or copies of one picture, say the same thing many times. Where
everything was right, every drawing is, too: an interval without width says that there are too few rows to see an
error, not that there is none.
"""

from __future__ import annotations

import numpy as np

from ..contract import Ids
from ..learning.metrics import Numbers

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
