"""A generation: the rows of an index as they lie on the disk, mapped into memory, never changed; ids are read.

ids.i64     int64 (n,), ascending
rows.f32    float32 (n, dim), in the order of the ids
cells.*     where search approximates: the codes, and the cell of each row
about.json  how many, how it is searched and why, and the checksums of the other files in blocks
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espalier.contract import Embeddings, Ids, Scores
from espalier.errors import BadIndex

from .index_cells import Cells
from .index_exact import PRODUCTS_FROM, nearest
from .index_policy import IndexPolicy
from .index_tuning import Tuned
from .sealed_directory import read_sealed

IDS, ROWS = "ids.i64", "rows.f32"
POPULATE_READ = 22
"""MADV_POPULATE_READ of Linux 5.14, which Python's mmap does not name."""


@dataclass(frozen=True)
class Approximation:
    """How a generation is searched where not exactly, and how many rows there were when the centres were learned."""

    cells: Cells
    tuned: Tuned
    mapped: bool
    learned_from: int


class Generation:
    """ids int64 (n,) ascending and rows float32 (n, dim), both read-only; and which of them are still alive."""

    def __init__(
        self, ids: Ids, rows: Embeddings, reason: str = "", approximation: Approximation | None = None
    ) -> None:
        self.ids, self.rows, self.reason, self.approximation = ids, rows, reason, approximation
        self.alive = np.ones(len(ids), bool)
        self.dead = 0

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def size_bytes(self) -> int:
        """In memory, while it is searched."""
        if self.approximation is None:
            return int(self.rows.nbytes + self.ids.nbytes)
        return int(self.ids.nbytes) + (0 if self.approximation.mapped else self.approximation.cells.size_bytes)

    def forget(self, ids: Ids) -> None:
        """They are found no more; unknown ones are no matter."""
        self.alive[self.places(ids)] = False
        self.dead = len(self) - int(np.count_nonzero(self.alive))

    def places(self, ids: Ids) -> Ids:
        """Where these ids lie, in their order; those that it does not hold are left out."""
        if not len(self) or not len(ids):
            return np.empty(0, np.int64)
        at: Ids = np.searchsorted(self.ids, ids)
        at[at == len(self)] = 0
        found: Ids = at[self.ids[at] == ids]
        return found

    def search(self, queries: Embeddings, k: int, allowed: Ids | None, policy: IndexPolicy) -> tuple[Ids, Scores]:
        """Ids int64 and cosines float32 (m, up to k), best first; allowed: ascending ids."""
        chosen = None
        if allowed is not None:
            chosen = self.places(allowed)
            if self.dead:
                chosen = chosen[self.alive[chosen]]
        count = len(self) - self.dead if chosen is None else len(chosen)
        # Of many queries, matrix products are quicker than all cells one after the other.
        many = chosen is not None and len(queries) >= PRODUCTS_FROM
        if self.approximation is None or many or policy.gathers(count, self.rows.shape[1]):
            found, scores = self._exact(queries, k, chosen)
        else:
            found, scores = self._approximate(self.approximation, queries, min(k, count), chosen)
        return self.ids[found], scores

    def _exact(self, queries: Embeddings, k: int, chosen: Ids | None) -> tuple[Ids, Scores]:
        if chosen is None and self.dead:
            chosen = np.flatnonzero(self.alive)
        return nearest(queries, self.rows, k, chosen)

    def _approximate(self, how: Approximation, queries: Embeddings, k: int, chosen: Ids | None) -> tuple[Ids, Scores]:
        cells, refine, only = how.cells, how.tuned.refine, self.alive if self.dead else None
        if chosen is None:
            # What was removed lies here and there, and takes its share from the neighbours.
            probes = min(how.tuned.probes_for(k * len(self) / (len(self) - self.dead)), cells.count)
        else:
            # What is near may be just what a condition forbids, and what it allows lie in cells that are far: all are
            # searched. Far away, more lie as near as each other as the bits can tell.
            probes, refine = cells.count, 2 * refine
            only = np.zeros(len(self), bool)
            only[chosen] = True
        found, scores = cells.nearest(queries, self.rows, k, probes=probes, refine=refine, only=only)
        short = np.flatnonzero((found < 0).any(axis=1))
        if len(short):  # these cells hold fewer than there are
            found[short], scores[short] = self._exact(queries[short], k, chosen)
        return found, scores

    @classmethod
    def empty(cls, dim: int) -> Generation:
        return cls(np.empty(0, np.int64), np.empty((0, dim), np.float32))

    @classmethod
    def read(cls, directory: Path, dim: int, *, verify_mb: int) -> Generation:
        """Raises BadIndex where a file is missing, of another length, or its checksum differs."""
        about = read_sealed(directory, verify_mb=verify_mb)
        try:
            count, reason = int(about["count"]), str(about["reason"])
            if (directory / IDS).stat().st_size != 8 * count or (directory / ROWS).stat().st_size != 4 * dim * count:
                raise BadIndex(f"{directory} does not hold {count} rows of {dim} numbers")
            if not count:
                return cls.empty(dim)
            ids = np.fromfile(directory / IDS, "<i8")
            touch = 4 * dim * count <= verify_mb << 20
            generation = cls(ids, map_rows(directory, count, dim, touch=touch), reason)
            if (held := about["approximation"]) is not None:
                mapped = bool(held["mapped"])
                cells = Cells.read(directory, count, held["codes"], mapped=mapped)
                tuned = Tuned.from_json(held["tuned"])
                generation.approximation = Approximation(cells, tuned, mapped, int(held["learned_from"]))
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise BadIndex(f"{directory} cannot be read: {type(error).__name__} {error}") from None
        return generation


def map_rows(directory: Path, count: int, dim: int, *, touch: bool = False) -> Embeddings:
    """float32 (count, dim), read-only, of the directory's file; a page is read when it is first looked at.

    touch: all of them now, for a file that was just read to its end: a search that meets a page for the first time
    takes microseconds for each, several times what the rest of it takes.
    """
    with (directory / ROWS).open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if touch:
        with suppress(OSError):  # older kernels have no word for it
            mapped.madvise(POPULATE_READ)
    return np.frombuffer(mapped, "<f4").reshape(count, dim)
