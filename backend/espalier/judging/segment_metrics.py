"""Segment metrics: how good the ranges on a video's timeline are, as Abu Farha and Gall define it for MS-TCN (2019).

Segments are runs of equal answers. A segment is found where one of the same label, not taken by another, overlaps it by
at least a share (intersection over union); F1 follows. The edit score compares the order of segments alone. Labels of a
timeline may overlap, which MS-TCN does not know: then F1 looks at each label's own segments, and the other two at the
set of labels of a frame. Where they do not overlap, the figures are MS-TCN's, within [0, 1] instead of per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..learning.metrics import Bits

OVERLAPS = (0.1, 0.25, 0.5)


class Segments(NamedTuple):
    """int64 (s,) each, by label and then time: column, first row, the one past the last."""

    label: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


def frame_accuracy(answered: Bits, holds: Bits) -> float:
    """The share of frames with every label right; bool (n, k), n at least 1, in order of time."""
    return float((answered == holds).all(axis=1).mean())


def segments(bits: Bits) -> Segments:
    """The runs of each column."""
    edge = np.zeros((1, bits.shape[1]), np.int8)
    change = np.diff(bits.astype(np.int8), axis=0, prepend=edge, append=edge).T
    label, start = np.nonzero(change == 1)
    _, stop = np.nonzero(change == -1)
    return Segments(label.astype(np.int64), start.astype(np.int64), stop.astype(np.int64))


def found(answered: Bits, holds: Bits, overlap: float) -> tuple[int, int, int]:
    """Answered segments that are right, answered segments, and true ones."""
    said, true = segments(answered), segments(holds)
    taken = np.zeros(len(true.label), np.bool_)
    right = 0
    if len(true.label):
        for label, start, stop in zip(*said, strict=True):
            shared = np.minimum(stop, true.stop) - np.maximum(start, true.start)
            spanned = np.maximum(stop, true.stop) - np.minimum(start, true.start)
            share = np.where(true.label == label, shared / spanned, 0.0)
            best = int(share.argmax())
            if share[best] >= overlap and not taken[best]:
                taken[best] = True
                right += 1
    return right, len(said.label), len(true.label)


def segment_f1(right: int, answered: int, true: int) -> float | None:
    """None where there is no segment at all."""
    return 2 * right / (answered + true) if answered + true else None


def edit_score(answered: Bits, holds: Bits) -> float | None:
    """1 less the edit distance between the two orders of segments, as a share of the longer; None without segments."""
    said, true = _order(answered), _order(holds)
    if not said and not true:
        return None
    return 1.0 - _distance(said, true) / max(len(said), len(true))


def _order(bits: Bits) -> list[bytes]:
    """The sets of labels in order of time, without repeats and without the empty one."""
    changed = np.r_[True, (bits[1:] != bits[:-1]).any(axis=1)] & bits.any(axis=1)
    return [row.tobytes() for row in np.packbits(bits[changed], axis=1)]


def _distance(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """Levenshtein's distance."""
    codes = {value: code for code, value in enumerate(dict.fromkeys([*one, *other]))}
    other_codes = np.array([codes[value] for value in other], np.int64)
    along = np.arange(len(other) + 1)
    row = along.copy()
    for value in one:
        changed = row[:-1] + (other_codes != codes[value])
        best = np.r_[row[0] + 1, np.minimum(changed, row[1:] + 1)]
        row = np.minimum.accumulate(best - along) + along
    return int(row[-1])
