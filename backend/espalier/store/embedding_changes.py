"""Which frames have an embedding, and since when: what an index is kept up to date by, without reading any rows.

Blocks are never changed in place: writing one replaces it, and SQLite gives the new row a number above all others. Only
where rows were deleted may a number come again; then the file's generation is another, and all is told from the start.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from .embedding_blocks import BLOCK

BLOCKS_AT_ONCE = 4096
_NAMES_AT_ONCE = 500
_Row = tuple[int, str, int, bytes]


@dataclass(frozen=True)
class Mark:
    """How far somebody has read. It holds for this process's life: rows may be numbered anew by a VACUUM."""

    generation: int = -1
    row: int = 0


START = Mark()


@dataclass(frozen=True)
class Changes:
    """Some blocks. media: by block, its digest. blocks int64 (n,): which 256 frames. present uint8 (n, 32): bitmaps."""

    media: list[str]
    blocks: Ids
    bitmaps: NDArray[np.uint8]
    mark: Mark
    starts_over: bool = False

    @classmethod
    def of(cls, rows: Sequence[_Row], mark: Mark, *, starts_over: bool = False) -> Changes:
        bitmaps = np.frombuffer(b"".join(row[3] for row in rows), np.uint8).reshape(len(rows), BLOCK // 8)
        return cls([row[1] for row in rows], np.array([row[2] for row in rows], np.int64), bitmaps, mark, starts_over)

    def frames(self) -> tuple[NDArray[np.int64], Ids]:
        """For every frame that is there: its block's place in `media`, int64 (m,), and its number, int64 (m,)."""
        places, bits = np.nonzero(np.unpackbits(self.bitmaps, axis=1, bitorder="little"))
        return places, self.blocks[places] * BLOCK + bits


def changed_blocks(connection: sqlite3.Connection, since: Mark) -> Iterator[Changes]:
    # The generation is read first: what is deleted in between is then told the next time.
    (generation,) = connection.execute("PRAGMA user_version").fetchone()
    starts_over = generation != since.generation
    mark = Mark(generation, 0 if starts_over else since.row)
    found = connection.execute(
        "SELECT rowid, media, block, present FROM blocks WHERE rowid > ? ORDER BY rowid", (mark.row,)
    )
    while rows := found.fetchmany(BLOCKS_AT_ONCE):
        mark = Mark(generation, rows[-1][0])
        yield Changes.of(rows, mark, starts_over=starts_over)
        starts_over = False
    yield Changes.of([], mark, starts_over=starts_over)


def held_blocks(connection: sqlite3.Connection, media: Sequence[str]) -> Iterator[Changes]:
    for start in range(0, len(media), _NAMES_AT_ONCE):
        some = media[start : start + _NAMES_AT_ONCE]
        marks = ",".join("?" * len(some))
        found = connection.execute(
            f"SELECT rowid, media, block, present FROM blocks WHERE media IN ({marks})",  # noqa: S608 - marks
            some,
        )
        while rows := found.fetchmany(BLOCKS_AT_ONCE):
            yield Changes.of(rows, START)


def start_over(connection: sqlite3.Connection) -> None:
    """Within the transaction that deletes rows."""
    (generation,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {generation + 1}")
