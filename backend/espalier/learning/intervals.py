"""Intervals: stretches of time over which an option is answered, found for all options at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from .cutoffs import Cutoffs

Bits = NDArray[np.bool_]
Confidences = NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """The frames that were looked at: int64 (n,), ascending. Those more than `stride` apart do not belong together."""

    numbers: Ids
    stride: int

    def blocks(self) -> Ids:
        """The number of each sample's uninterrupted stretch, int64 (n,)."""
        return np.concatenate([[0], np.cumsum(np.diff(self.numbers) > self.stride)]).astype(np.int64)[
            : len(self.numbers)
        ]


@dataclass(frozen=True)
class Intervals:
    """By interval: its option (column), its first sample, the one past its last, and its mean confidence."""

    option: Ids
    start: Ids
    stop: Ids
    confidence: Confidences


def steady(
    confidence: Confidences,
    high: Bits,
    cutoffs: Cutoffs,
    samples: Samples,
    *,
    margin: float,
    min_length: int,
    min_gap: int,
) -> Intervals:
    """The intervals of options that may overlap.

    confidence float64 (n, k), high bool (n, k): answered at its cutoff. An interval begins where an option is high,
    goes on while it is within the margin, bridges short gaps, and is at least min_length frames long (or as long as
    its block). Where the mean of such an interval falls under the cutoff, its high parts stand alone.
    """
    low = confidence >= np.maximum(cutoffs - margin, 1e-9)
    held = _hysteresis(high, high | low, samples.blocks())
    loose = _find(held, samples)
    loose = _bridge(loose, samples, min_gap)
    mean = _means(confidence, *loose)
    sure = mean >= cutoffs[loose[0]] - 1e-9
    strict_part = _cover(loose, ~sure, high.shape) & high
    strict = _find(strict_part, samples)
    option, start, stop = (np.concatenate([a[sure], b]) for a, b in zip(loose, strict, strict=True))
    kept = _long_enough(start, stop, samples, min_length)
    option, start, stop = option[kept], start[kept], stop[kept]
    order = np.lexsort((start, option))
    option, start, stop = option[order], start[order], stop[order]
    return Intervals(option, start, stop, np.maximum(_means(confidence, option, start, stop), cutoffs[option]))


def exclusive(
    confidence: Confidences, high: Bits, cutoffs: Cutoffs, samples: Samples, *, min_length: int, min_gap: int
) -> Intervals:
    """The intervals of options of which at most one is high per row, bool (n, k).

    A gap shorter than min_gap frames between two intervals of one option is bridged, where nothing else is answered in
    it and the mean stays at or above the cutoff; intervals shorter than min_length are dropped, unless their block is
    as short.
    """
    option, start, stop = _find(high, samples)
    order = np.argsort(start, kind="stable")
    option, start, stop = option[order], start[order], stop[order]
    joined = _bridge((option, start, stop), samples, min_gap)
    sure = _means(confidence, *joined) >= cutoffs[joined[0]] - 1e-9
    apart = _find(_cover(joined, ~sure, high.shape) & high, samples)
    option, start, stop = (np.concatenate([a[sure], b]) for a, b in zip(joined, apart, strict=True))
    kept = _long_enough(start, stop, samples, min_length)
    option, start, stop = option[kept], start[kept], stop[kept]
    order = np.argsort(start, kind="stable")
    option, start, stop = option[order], start[order], stop[order]
    return Intervals(option, start, stop, np.maximum(_means(confidence, option, start, stop), cutoffs[option]))


def _hysteresis(high: Bits, low: Bits, blocks: Ids) -> Bits:
    """Low from the first high one on, within each stretch of low samples of one block; column by column."""
    n = len(high)
    if not n:
        return high
    at = np.arange(n, dtype=np.int32)[:, None]
    first_of_block = np.r_[True, blocks[1:] != blocks[:-1]][:, None]
    began = np.where(low & first_of_block, at, np.where(low, np.int32(-1), at + 1))
    np.maximum.accumulate(began, axis=0, out=began)  # where the stretch that this sample is in began
    entered = np.where(high, at, np.int32(-1))
    np.maximum.accumulate(entered, axis=0, out=entered)
    return np.asarray(low & (entered >= began))


def _find(held: Bits, samples: Samples) -> tuple[Ids, Ids, Ids]:
    """Option, start and stop of every interval in bool (n, k), by option and then time; blocks part intervals."""
    n = len(held)
    if not n:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty
    first_of_block = np.r_[True, samples.blocks()[1:] != samples.blocks()[:-1]][:, None]
    before = np.zeros_like(held)
    before[1:] = held[:-1]
    begins = held & (~before | first_of_block)
    after = np.zeros_like(held)
    after[:-1] = held[1:]
    last_of_block = np.r_[first_of_block[1:, 0], True][:, None]
    ends = held & (~after | last_of_block)
    option, start = np.nonzero(begins.T)
    _, last = np.nonzero(ends.T)
    return option.astype(np.int64), start.astype(np.int64), (last + 1).astype(np.int64)


def _bridge(found: tuple[Ids, Ids, Ids], samples: Samples, min_gap: int) -> tuple[Ids, Ids, Ids]:
    option, start, stop = found
    if len(option) < 2 or min_gap <= 0:
        return found
    block = samples.blocks()
    gap = samples.numbers[start[1:]] - (samples.numbers[stop[:-1] - 1] + samples.stride)
    joined = (option[1:] == option[:-1]) & (block[start[1:]] == block[start[:-1]]) & (gap < min_gap)
    return _merged(option, start, stop, joined)


def _merged(option: Ids, start: Ids, stop: Ids, joined: Bits) -> tuple[Ids, Ids, Ids]:
    """Intervals united with the one before them where `joined`, bool (r - 1,)."""
    return option[np.r_[True, ~joined]], start[np.r_[True, ~joined]], stop[np.r_[~joined, True]]


def _long_enough(start: Ids, stop: Ids, samples: Samples, min_length: int) -> Bits:
    """Intervals of at least min_length frames, or as long as their block."""
    if not len(start):
        return np.zeros(0, np.bool_)
    block = samples.blocks()
    size = np.bincount(block)
    needed = np.minimum(-(-min_length // samples.stride), size[block[start]])
    return np.asarray(stop - start >= needed)


def _cover(found: tuple[Ids, Ids, Ids], chosen: Bits, shape: tuple[int, ...]) -> Bits:
    """bool (n, k): the samples of the chosen intervals."""
    option, start, stop = (part[chosen] for part in found)
    steps = np.zeros((shape[0] + 1, shape[1]), np.int32)
    np.add.at(steps, (start, option), 1)
    np.add.at(steps, (stop, option), -1)
    return np.asarray(np.cumsum(steps[:-1], axis=0) > 0)


def _means(confidence: Confidences, option: Ids, start: Ids, stop: Ids) -> Confidences:
    """The mean confidence of each interval."""
    if not len(option):
        return np.zeros(0)
    summed = np.zeros((len(confidence) + 1, confidence.shape[1]))
    np.cumsum(confidence, axis=0, out=summed[1:])
    return np.asarray((summed[stop, option] - summed[start, option]) / (stop - start))
