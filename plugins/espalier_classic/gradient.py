"""Edges: how strong they are in each of nine directions, cell by cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Pictures

CELL = 16
"""Pixels along a cell's side."""
DIRECTIONS = 9
FLAT = 4.0
"""Gradients of about this strength (of 255) and less count little: noise on an even surface has no direction."""


def gradient_shares(frames: Pictures) -> NDArray[np.float32]:
    """float32 (n, cells * DIRECTIONS), each cell at most 1 in sum: the smaller the rest, the flatter the cell."""
    n, height, width, _ = frames.shape
    light = frames @ np.array([0.299, 0.587, 0.114], np.float32)
    across, down = np.zeros_like(light), np.zeros_like(light)
    across[:, :, 1:-1] = light[:, :, 2:] - light[:, :, :-2]
    down[:, 1:-1, :] = light[:, 2:, :] - light[:, :-2, :]
    strength = np.sqrt(across * across + down * down)
    turn = np.arctan2(down, across) * np.float32(DIRECTIONS / np.pi) + DIRECTIONS  # [0, 2 * DIRECTIONS]
    direction = turn.astype(np.int64) % DIRECTIONS  # opposite directions are one: an edge has no sign
    rows, columns = height // CELL, width // CELL
    cell = (np.arange(height) // CELL)[:, None] * columns + np.arange(width) // CELL
    number = (np.arange(n)[:, None, None] * rows * columns + cell) * DIRECTIONS + direction
    sums = np.bincount(number.ravel(), strength.ravel(), n * rows * columns * DIRECTIONS)
    cells = sums.reshape(n, rows * columns, DIRECTIONS)
    shares: NDArray[np.float64] = cells / (cells.sum(axis=2, keepdims=True) + FLAT * CELL * CELL)
    return shares.reshape(n, -1).astype(np.float32)
