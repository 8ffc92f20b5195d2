"""Occlusion: what an option loses when a part of the picture is covered. It serves every encoder and classifier."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..contract import Pictures

CELLS = 8
"""Rows and columns of the map."""
_COVER = 2
"""A cover is so many cells wide and high: a smaller one hides too little to be missed."""


def occlusion(
    frame: Pictures, odds: Callable[[Pictures], NDArray[np.float64]], *, cells: int = CELLS
) -> NDArray[np.float32]:
    """float32 (cells, cells), 0 and up: by how much the log-odds fall, spread over the covered cells.

    frame uint8 (height, width, 3). odds: from uint8 (n, height, width, 3) to the option's log-odds, float64 (n,).
    Covers have the frame's mean colour, and overlap.
    """
    height, width = frame.shape[:2]
    rows = np.linspace(0, height, cells + 1).astype(int)
    columns = np.linspace(0, width, cells + 1).astype(int)
    colour = frame.mean(axis=(0, 1)).astype(np.uint8)
    places = [(row, column) for row in range(1 - _COVER, cells) for column in range(1 - _COVER, cells)]
    lost = np.zeros((cells, cells))
    times = np.zeros((cells, cells))
    whole = float(odds(frame[None])[0])
    for start in range(0, len(places), cells):
        some = places[start : start + cells]
        covered = np.repeat(frame[None], len(some), axis=0)
        for picture, (row, column) in zip(covered, some, strict=True):
            picture[
                rows[max(0, row)] : rows[min(cells, row + _COVER)],
                columns[max(0, column)] : columns[min(cells, column + _COVER)],
            ] = colour
        for (row, column), now in zip(some, odds(covered).tolist(), strict=True):
            cover = np.s_[max(0, row) : row + _COVER, max(0, column) : column + _COVER]
            lost[cover] += whole - now
            times[cover] += 1
    return np.maximum(lost / times, 0).astype(np.float32)
