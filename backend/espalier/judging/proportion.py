"""Proportions: how often something is right, with an interval that says how little a few rows tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri  # type: ignore[import-untyped]

from ..contract import Ids

CONFIDENCE = 0.95
_STRANGERS = 5.0
"""How many groups' worth of doubt there is that rows of one group are all right or all wrong together."""


@dataclass(frozen=True)
class Interval:
    """low <= high, within [0, 1]: where the true share lies, as far as the rows can tell."""

    low: float
    high: float


def wilson(right: float, of: float, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval: on average as wide as it should be. Counts may be fractions; of nothing it is [0, 1]."""
    if of <= 0:
        return Interval(0.0, 1.0)
    z = float(ndtri(0.5 + confidence / 2))
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return Interval(max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def clopper_pearson(right: float, of: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval: never narrower than it should be. Counts may be fractions; of nothing it is [0, 1]."""
    tail = (1 - confidence) / 2
    low = float(betaincinv(right, of - right + 1, tail)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, of - right, 1 - tail)) if of - right > 0 else 1.0
    return Interval(low, high)


def likeness(right: NDArray[np.bool_], expected: NDArray[np.float64], groups: Ids) -> float:
    """How much alike rows of one group are, in [0, 1]: 0 where each tells something new, 1 where one tells all.

    right bool (n,); expected float64 (n,): the probability that each is; groups int64 (n,). It is the intraclass
    correlation of what was not expected (analysis of variance), drawn towards 1 where there are few groups: a hundred
    right frames of one video do not promise that the next video goes well.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    sizes = np.bincount(numbers).astype(np.float64)
    count, rows = len(sizes), len(right)
    if count == rows:
        return 0.0
    alike = 1.0
    if count > 1:
        surprise = right - expected
        means = np.bincount(numbers, weights=surprise) / sizes
        between = float((sizes * (means - surprise.mean()) ** 2).sum()) / (count - 1)
        within = float(((surprise - means[numbers]) ** 2).sum()) / (rows - count)
        size = (rows - float((sizes**2).sum()) / rows) / (count - 1)
        spread = between + (size - 1) * within
        alike = min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else 1.0
    return (count * alike + _STRANGERS) / (count + _STRANGERS)


def effective(groups: Ids, alike: float) -> NDArray[np.float64]:
    """How many independent rows the first 1, 2, ... n rows are worth, float64 (n,); groups int64 (n,), in their order.

    alike: the likeness of rows of one group.
    """
    n = len(groups)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1]]) if n else np.zeros(0, np.int64)
    before = np.empty(n, np.float64)  # how many rows of its group came before each
    before[order] = np.arange(n) - np.repeat(starts, np.diff(np.r_[starts, n]))
    counts = np.arange(1, n + 1, dtype=np.float64)
    group_size = np.cumsum(2 * before + 1) / counts  # of the group of a row, on average
    return np.asarray(counts / (1 + (group_size - 1) * alike))
