"""Colours as words: every RGB value has a number among 38, from a table made once."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Pictures

GREYS = 8
HUES = 10
TONES = 3
"""Pale, dark and bright."""
COLOURS = GREYS + HUES * TONES
BITS = 5


@cache
def _words() -> NDArray[np.uint8]:
    """The colour word of each RGB value cut to 5 bits a channel, uint8 (32768,)."""
    levels = (np.arange(1 << BITS) + 0.5) / (1 << BITS)
    red, green, blue = np.meshgrid(levels, levels, levels, indexing="ij")
    high, low = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    spread = high - low
    safe = np.where(spread > 0, spread, 1)
    hue = np.select(
        [high == red, high == green],
        [(green - blue) / safe % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    # Half a step back, so that pure red lies in the middle of a word and not on the border of two.
    hue_word = np.floor((hue / 6 * HUES + 0.5) % HUES).astype(int)
    saturation = spread / high
    tone = np.where(high < 0.45, 1, np.where(saturation < 0.45, 0, 2))
    grey_word = np.minimum((high * GREYS).astype(int), GREYS - 1)
    coloured = (saturation > 0.18) & (high > 0.12)
    return np.where(coloured, GREYS + hue_word * TONES + tone, grey_word).astype(np.uint8).ravel()


def colour_shares(frames: Pictures, grid: int) -> NDArray[np.float64]:
    """The share of each colour word in each cell, float64 (n, grid * grid * COLOURS); every cell sums to 1."""
    n, height, width, _ = frames.shape
    cut = (frames >> (8 - BITS)).astype(np.uint16)
    words = _words()[(cut[..., 0] << (2 * BITS)) | (cut[..., 1] << BITS) | cut[..., 2]]
    rows, columns = np.arange(height) * grid // height, np.arange(width) * grid // width
    cell = rows[:, None] * grid + columns
    number = (np.arange(n)[:, None, None] * grid * grid + cell) * COLOURS + words
    counts = np.bincount(number.ravel(), minlength=n * grid * grid * COLOURS).reshape(n, grid * grid, COLOURS)
    shares: NDArray[np.float64] = counts / counts.sum(axis=2, keepdims=True)
    return shares.reshape(n, -1)
