"""Probes: a few examples of each side that are asked how they would have been scored had they not been learned.

Which ones depends on their numbers alone, so that it does not matter in what order the examples came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Embeddings, Ids

from .examples import Examples
from .likeness import SAME, SHARPNESS, kernel

_MOST = 256
_FEWEST = 4
"""Probes of all sides together, and of each at least."""
_BATCH = 8192
_EXACT = 1e-3
"""What takes away more than this share of a sum makes it be added up anew: the rest would be lost in the rounding."""


class Probes:
    """The sums of the kernel between each probe and all examples but those that are the same, kept up to date.

    ids int64 (m,), rows float32 (m, dim), says float32 (m, sides); sums and counted float64 (m, sides): of the kernel
    and of what it was summed over.
    """

    def __init__(self, examples: Examples) -> None:
        self.examples = examples
        self.ids: Ids = np.zeros(0, np.int64)
        self.rows: Embeddings = np.zeros((0, examples.dim), np.float32)
        self.says: NDArray[np.float32] = np.zeros((0, examples.sides), np.float32)
        self.sums: NDArray[np.float64] = np.zeros((0, examples.sides))
        self.counted: NDArray[np.float64] = np.zeros((0, examples.sides))
        self._stale: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._touched = np.zeros(examples.sides, np.bool_)
        self._of_side: list[Ids] = [np.zeros(0, np.int64) for _ in range(examples.sides)]

    def join(self, rows: Embeddings, says: NDArray[np.float32]) -> None:
        self._touched |= (says > 0).any(axis=0)
        if len(self.ids) and len(rows):
            sums, counted, _ = self._between(self.rows, rows, says)
            self.sums += sums
            self.counted += counted

    def leave(self, ids: Ids, rows: Embeddings, says: NDArray[np.float32]) -> None:
        self._touched |= (says > 0).any(axis=0)
        stay = ~np.isin(self.ids, ids)
        if not stay.all():
            self.ids, self.rows, self.says = self.ids[stay], self.rows[stay], self.says[stay]
            self.sums, self.counted, self._stale = self.sums[stay], self.counted[stay], self._stale[stay]
        if len(self.ids) and len(rows):
            sums, counted, close = self._between(self.rows, rows, says)
            self._stale |= close | (sums > _EXACT * self.sums).any(axis=1)
            self.sums -= sums
            self.counted -= counted

    def refresh(self) -> None:
        """Of the sides that were touched, the probes are chosen anew; what is not known of them is added up."""
        for side in np.flatnonzero(self._touched).tolist():
            places = np.flatnonzero(self.examples.says[:, side] > 0)
            many = max(_FEWEST, _MOST // max(self.examples.sides, 1))
            if len(places) > many:
                keys = self.examples.keys[places]
                places = places[np.argpartition(keys, many)[:many]]
            self._of_side[side] = self.examples.ids[places]
        self._touched[:] = False
        wanted = np.unique(np.concatenate([np.zeros(0, np.int64), *self._of_side]))
        known = np.isin(self.ids, wanted) & ~self._stale
        order = np.searchsorted(wanted, self.ids[known])
        sums, counted = (np.zeros((len(wanted), self.examples.sides)) for _ in range(2))
        sums[order], counted[order] = self.sums[known], self.counted[known]
        new = np.ones(len(wanted), np.bool_)
        new[order] = False
        places = self.examples.places_of(wanted)
        rows, says = self.examples.rows[places], self.examples.says[places]
        if new.any():
            sums[new], counted[new], _ = self._between(rows[new], self.examples.rows, self.examples.says)
        self.ids, self.rows, self.says, self.sums, self.counted = wanted, rows, says, sums, counted
        self._stale = np.zeros(len(wanted), np.bool_)

    @staticmethod
    def _between(
        probes: Embeddings, rows: Embeddings, says: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Sums, what they count, and for which probes rounding may decide what is the same."""
        sums, counted = (np.zeros((len(probes), says.shape[1])) for _ in range(2))
        close = np.zeros(len(probes), np.bool_)
        same = np.float32(np.exp(SHARPNESS * (SAME - 1)))
        for at in range(0, len(rows), _BATCH):
            near, spoken = kernel(probes, rows[at : at + _BATCH]), says[at : at + _BATCH]
            close |= (np.abs(near - same) < 1e-4).any(axis=1)
            other = near < same
            sums += (near * other) @ spoken
            counted += other.astype(np.float32) @ spoken
        return sums, counted, close
