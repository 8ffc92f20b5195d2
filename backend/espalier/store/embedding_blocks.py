"""256 consecutive frame numbers of one media: a bitmap of those that are there, and their rows packed in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.frames import Frames

BLOCK = 256


@dataclass(frozen=True)
class Packed:
    """Some frames of one block: numbers int64 (n,), ascending, and rows (n, dim) as they are stored."""

    numbers: NDArray[np.int64]
    rows: NDArray[np.floating]

    @classmethod
    def cut(
        cls, block: int, present: bytes, rows: bytes, dtype: np.dtype[np.floating], wanted: NDArray[np.int64]
    ) -> Packed:
        """What of the wanted frames (ascending, all inside the block) is in the stored row."""
        numbers = unpack_numbers(block, present)
        array = np.frombuffer(rows, dtype).reshape(len(numbers), -1)
        if len(wanted) == BLOCK:
            return cls(numbers, array)
        asked = np.zeros(BLOCK, bool)
        asked[wanted - block * BLOCK] = True
        take = asked[numbers - block * BLOCK]
        return cls(numbers, array) if take.all() else cls(numbers[take], array[take])


def pack(places: NDArray[np.int64]) -> bytes:
    """The bitmap, 32 bytes, of places within [0, 256)."""
    bits = np.zeros(BLOCK, np.uint8)
    bits[places] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def unpack_numbers(block: int, present: bytes) -> NDArray[np.int64]:
    """The frame numbers that a block's bitmap holds, ascending."""
    return np.flatnonzero(np.unpackbits(np.frombuffer(present, np.uint8), bitorder="little")) + block * BLOCK


def frame_numbers(frames: Frames) -> NDArray[np.int64]:
    """Every number of the set, ascending, int64 (n,)."""
    if not frames:
        return np.empty(0, np.int64)
    return np.concatenate([np.arange(start, stop, dtype=np.int64) for start, stop in frames.ranges])
