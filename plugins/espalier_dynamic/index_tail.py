"""The tail of an index: rows that came since its last generation, in memory, always searched exactly."""

from __future__ import annotations

import numpy as np

from espalier.contract import Embeddings, Ids, Scores

from .index_exact import nearest

FIRST_ROWS = 256


class Tail:
    """Rows without gaps: a known id is overwritten where it lies, and the last row moves to where one was removed."""

    def __init__(self, dim: int) -> None:
        self._rows: Embeddings = np.empty((FIRST_ROWS, dim), np.float32)
        self._ids: Ids = np.empty(FIRST_ROWS, np.int64)
        self._where: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._where)

    @property
    def ids(self) -> Ids:
        """In no order."""
        return self._ids[: len(self)]

    @property
    def rows(self) -> Embeddings:
        return self._rows[: len(self)]

    @property
    def size_bytes(self) -> int:
        return self._rows.nbytes + self._ids.nbytes

    def put(self, ids: Ids, embeddings: Embeddings) -> None:
        """Distinct ids, known or new."""
        self._reserve(len(self) + len(ids))
        place = self._where.setdefault
        slots = np.fromiter((place(id, len(self._where)) for id in ids.tolist()), np.int64, len(ids))
        self._rows[slots] = embeddings
        self._ids[slots] = ids

    def take_out(self, ids: Ids) -> None:
        """Unknown ids are no matter."""
        for id in ids.tolist():
            slot = self._where.pop(id, None)
            if slot is None or slot == len(self._where):
                continue
            last = len(self._where)
            self._rows[slot], self._ids[slot] = self._rows[last], self._ids[last]
            self._where[int(self._ids[slot])] = slot

    def search(self, queries: Embeddings, k: int, allowed: Ids | None) -> tuple[Ids, Scores]:
        """Ids int64 and cosines float32 (m, up to k), best first; allowed: ascending ids."""
        found, scores = nearest(queries, self.rows, k, None if allowed is None else self._slots(allowed))
        return self.ids[found], scores

    def _slots(self, allowed: Ids) -> Ids:
        if len(allowed) < len(self):
            known = [slot for id in allowed.tolist() if (slot := self._where.get(id)) is not None]
            return np.array(sorted(known), np.int64)
        if not len(self):
            return np.empty(0, np.int64)
        at = np.minimum(np.searchsorted(allowed, self.ids), len(allowed) - 1)
        return np.flatnonzero(allowed[at] == self.ids)

    def _reserve(self, rows: int) -> None:
        if rows <= len(self._ids):
            return
        room = max(rows, len(self._ids) * 3 // 2)
        kept, ids = self.rows, self.ids
        self._rows, self._ids = np.empty((room, kept.shape[1]), np.float32), np.empty(room, np.int64)
        self._rows[: len(kept)], self._ids[: len(ids)] = kept, ids
