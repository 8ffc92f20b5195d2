"""The examples of a question: rows that come and go by their ids, and what each of them says of each side.

A side is what an example can speak for: with exclusive options one per column; otherwise two, that the option holds and
that it does not, sides 0 to k - 1 and k to 2k - 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Embeddings, Ids, Mask, Targets, Weights

_ROOM = 64
"""Rows that there is room for at first; then always an eighth more, so that growing never takes long."""


class Examples:
    """Rows lie without gaps, in no order: whatever is made of them must not depend on it."""

    def __init__(self, dim: int, options: int, *, exclusive: bool) -> None:
        self.dim, self.options, self.exclusive = dim, options, exclusive
        self.count = 0
        self._rows = np.zeros((0, dim), np.float32)
        self._says = np.zeros((0, self.sides), np.float32)
        self._ids = np.zeros(0, np.int64)
        self._keys = np.zeros(0, np.uint64)
        self._factors = np.random.default_rng(0).integers(1, 2**63, dim, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        self._where: dict[int, int] = {}

    @property
    def sides(self) -> int:
        return self.options if self.exclusive else 2 * self.options

    @property
    def rows(self) -> Embeddings:
        """float32 (count, dim), a view: not to be kept."""
        return self._rows[: self.count]

    @property
    def says(self) -> NDArray[np.float32]:
        """How much each row speaks for each side, float32 (count, sides), a view: not to be kept."""
        return self._says[: self.count]

    @property
    def ids(self) -> Ids:
        return self._ids[: self.count]

    @property
    def keys(self) -> NDArray[np.uint64]:
        """A number by the row's content alone, uint64 (count,): the lowest are as good as drawn by lot."""
        return self._keys[: self.count]

    def spoken(self, targets: Targets, mask: Mask, weights: Weights | None) -> NDArray[np.float32]:
        """What rows of a question say, float32 (n, sides)."""
        if targets.shape[1:] != (self.options,) or mask.shape != targets.shape:
            raise ValueError(f"targets and mask must be (n, {self.options}), got {targets.shape} and {mask.shape}")
        worth = mask.astype(np.float32) if weights is None else np.where(mask, weights, np.float32(0))
        holds = worth * (targets > 0.5)
        return np.asarray(holds if self.exclusive else np.hstack([holds, worth - holds]), np.float32)

    def add(self, ids: Ids, rows: Embeddings, says: NDArray[np.float32]) -> None:
        """ids are distinct and not among those that are here; every row says something."""
        first, self.count = self.count, self.count + len(ids)
        self._make_room()
        self._rows[first : self.count] = rows
        self._says[first : self.count] = says
        self._ids[first : self.count] = ids
        self._keys[first : self.count] = self._keyed(rows)
        self._where.update(zip(ids.tolist(), range(first, self.count), strict=True))

    def places(self, ids: Ids) -> Ids:
        """Where those lie that are here, int64 (m,), m <= n."""
        found = [self._where[each] for each in ids.tolist() if each in self._where]
        return np.array(sorted(set(found)), np.int64)

    def places_of(self, ids: Ids) -> Ids:
        """Of ids that are all here, in their order."""
        return np.array([self._where[each] for each in ids.tolist()], np.int64)

    def drop(self, places: Ids) -> None:
        """The last rows take the places of those that go."""
        for place in places[::-1].tolist():
            self.count -= 1
            last = self.count
            del self._where[int(self._ids[place])]
            if place != last:
                self._rows[place], self._says[place] = self._rows[last], self._says[last]
                self._ids[place], self._keys[place] = self._ids[last], self._keys[last]
                self._where[int(self._ids[place])] = place

    def _make_room(self) -> None:
        if self.count > len(self._ids):
            room = max(self.count, len(self._ids) + len(self._ids) // 8, _ROOM)
            # In place, so that the system moves pages instead of copying rows.
            self._rows.resize((room, self.dim), refcheck=False)
            self._says.resize((room, self.sides), refcheck=False)
            self._ids.resize(room, refcheck=False)
            self._keys.resize(room, refcheck=False)

    def _keyed(self, rows: Embeddings) -> NDArray[np.uint64]:
        """A multiplicative hash of the bits, in parts that the cache holds."""
        keys = np.empty(len(rows), np.uint64)
        for at in range(0, len(rows), 1024):
            bits = np.ascontiguousarray(rows[at : at + 1024]).view(np.uint32).astype(np.uint64)
            mixed = (bits * self._factors).sum(axis=1, dtype=np.uint64)
            keys[at : at + 1024] = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        return keys
