"""A generation: the rows of an index as they lie on the disk, mapped into memory, never changed.

ids.i64   int64 (n,), ascending
rows.f32  float32 (n, dim), in the order of the ids
about.json  how many, of which kind and why, and the checksums of the other files in blocks
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from espalier.contract import Embeddings, Ids
from espalier.errors import BadIndex

from .index_files import checksums, read_json, write_json
from .journal import sync_directory

ABOUT, IDS, ROWS = "about.json", "ids.i64", "rows.f32"
BLOCK_BYTES = 1 << 22


class Generation:
    """ids int64 (n,) ascending and rows float32 (n, dim), both read-only."""

    def __init__(self, ids: Ids, rows: Embeddings) -> None:
        self.ids, self.rows = ids, rows

    def __len__(self) -> int:
        return len(self.ids)

    def places(self, ids: Ids) -> Ids:
        """Where these ids lie, in their order; those that it does not hold are left out."""
        if not len(self.ids) or not len(ids):
            return np.empty(0, np.int64)
        at: Ids = np.searchsorted(self.ids, ids)
        at[at == len(self.ids)] = 0
        found: Ids = at[self.ids[at] == ids]
        return found

    @classmethod
    def empty(cls, dim: int) -> Generation:
        return cls(np.empty(0, np.int64), np.empty((0, dim), np.float32))

    @classmethod
    def read(cls, directory: Path, dim: int, *, verify_mb: int) -> Generation:
        """Raises BadIndex where a file is missing, of another length, or its checksum differs."""
        about = read_json(directory / ABOUT)
        count = int(about["count"])
        for name, sums in about["checksums"].items():
            _verify(directory / name, sums, int(about["sizes"][name]), verify_mb)
        if about["sizes"][IDS] != 8 * count or about["sizes"][ROWS] != 4 * dim * count:
            raise BadIndex(f"{directory} does not hold {count} rows of {dim} numbers")
        if not count:
            return cls.empty(dim)
        ids = np.memmap(directory / IDS, "<i8", "r", shape=(count,))
        rows = np.memmap(directory / ROWS, "<f4", "r", shape=(count, dim))
        return cls(np.asarray(ids), np.asarray(rows))


def write_generation(directory: Path, ids: Ids, blocks: Iterable[Embeddings]) -> None:
    """All of it is on the disk when it returns, under its name only if it is whole.

    ids int64 (n,) ascending; blocks float32 (some, dim), n rows together, in their order.
    """
    draft = directory.with_name(f"{directory.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    draft.mkdir()
    (draft / IDS).write_bytes(np.ascontiguousarray(ids, "<i8").tobytes())
    with (draft / ROWS).open("wb") as file:
        for block in blocks:
            file.write(np.ascontiguousarray(block, "<f4").data)
    names = sorted(path.name for path in draft.iterdir())
    for name in names:
        with (draft / name).open("rb") as file:
            os.fsync(file.fileno())
    sums = {name: checksums(draft / name, BLOCK_BYTES) for name in names}
    sizes = {name: (draft / name).stat().st_size for name in names}
    write_json(draft / ABOUT, {"count": len(ids), "checksums": sums, "sizes": sizes})
    sync_directory(draft)
    draft.rename(directory)
    sync_directory(directory.parent)


def _verify(path: Path, sums: list[int], size: int, verify_mb: int) -> None:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        raise BadIndex(f"{path} is missing") from None
    if found != size:
        raise BadIndex(f"{path} has {found} bytes, {size} were written")
    count = max(1, (verify_mb << 20) // BLOCK_BYTES)
    with path.open("rb") as file:
        for block in np.unique(np.linspace(0, len(sums) - 1, min(count, len(sums))).astype(int)).tolist():
            file.seek(block * BLOCK_BYTES)
            if zlib.crc32(file.read(BLOCK_BYTES)) != sums[block]:
                raise BadIndex(f"{path} is damaged between byte {block * BLOCK_BYTES} and {BLOCK_BYTES} further")
