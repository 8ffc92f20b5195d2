"""Every embedding that was ever computed, so that no frame is decoded twice: one SQLite file per encoder.

A row holds the frames of one block (256 consecutive frame numbers) of one media that are there, packed in order; an
image is frame 0. Writing merges into the row inside one transaction, so several processes may write the same media,
and a killed one leaves whole blocks or none.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.frames import Frames

from ..contract import Embeddings, Ids
from ..errors import EspalierError
from .embedding_blocks import BLOCK, Packed, frame_numbers, pack, unpack_numbers
from .embedding_changes import START, Changes, Mark, changed_blocks, held_blocks, start_over
from .embedding_file import EmbeddingFile

Storage = Literal["float16", "float32"]
Key = tuple[str, int]

BLOCKS_AT_ONCE = 4
"""`blocks` hands out at most this many blocks (1024 frames) at a time."""


class NotEmbedded(EspalierError, LookupError):
    """These frames have no embedding yet; `keys` names them."""

    def __init__(self, keys: Sequence[Key]) -> None:
        some = ", ".join(f"frame {frame} of {media[:12]}" for media, frame in keys[:3])
        super().__init__(f"{len(keys)} frames have no embedding yet: {some}{', ...' if len(keys) > 3 else ''}")
        self.keys = list(keys)


class EmbeddingStore:
    """Embeddings by (encoder digest, media digest, frame). Safe for several threads, processes and sudden ends.

    float16 halves the disk; with unit rows it moves a cosine by about 1e-4 at most. Rows come back as float32, norm 1.
    """

    def __init__(self, directory: Path, *, storage: Storage = "float16") -> None:
        self.directory = directory
        self.storage: Storage = storage
        self._files: dict[str, EmbeddingFile] = {}

    def write(self, encoder_digest: str, media_digest: str, numbers: Ids, embeddings: Embeddings) -> None:
        """Keep embeddings float32 (n, dim) of the frames numbers int64 (n,), in any order.

        A frame that is already there keeps its embedding: equal digests mean equal embeddings. Raises ValueError for
        arrays that do not fit each other or the encoder's other embeddings.
        """
        self.write_many(encoder_digest, [(media_digest, number) for number in np.asarray(numbers).tolist()], embeddings)

    def write_many(self, encoder_digest: str, keys: Sequence[Key], embeddings: Embeddings) -> None:
        """As `write`, for (media digest, frame) keys in any order: one transaction for all."""
        if embeddings.ndim != 2 or len(keys) != len(embeddings):
            raise ValueError(f"expected (n, dim) rows for {len(keys)} frames, got {embeddings.shape}")
        if not keys:
            return
        places: dict[tuple[str, int], list[int]] = {}
        for place, (media, number) in enumerate(keys):
            if number < 0:
                raise ValueError(f"frames are numbered from 0, got {number}")
            places.setdefault((media, number // BLOCK), []).append(place)
        file = self._file(encoder_digest)
        rows = embeddings.astype(file.begin_with(embeddings.shape[1], self.storage))
        with file.writing() as connection:
            for (media, block), where in places.items():
                numbers = np.array([keys[place][1] % BLOCK for place in where], np.int64)
                _merge(connection, media, block, numbers, rows[where])

    def missing(self, encoder_digest: str, media_digest: str, frames: Frames) -> Frames:
        """The frames of these that have no embedding yet."""
        if not frames:
            return frames
        held: list[NDArray[np.int64]] = []
        first, last = frames.ranges[0][0] // BLOCK, (frames.ranges[-1][1] - 1) // BLOCK
        with self._file(encoder_digest).reading() as connection:
            if connection is None:
                return frames
            for block, present in connection.execute(
                "SELECT block, present FROM blocks WHERE media = ? AND block BETWEEN ? AND ?",
                (media_digest, first, last),
            ):
                held.append(unpack_numbers(block, present))
        if not held:
            return frames
        return frames - _as_frames(np.concatenate(held))

    def read(self, encoder_digest: str, media_digest: str, frames: Frames) -> tuple[Ids, Embeddings]:
        """Those of the frames that are there: numbers int64 (n,), ascending, and float32 (n, dim)."""
        parts = list(self._packed(encoder_digest, media_digest, frames))
        return _join(parts, self._file(encoder_digest).dim)

    def blocks(self, encoder_digest: str, media_digest: str, frames: Frames) -> Iterator[tuple[Ids, Embeddings]]:
        """As `read`, in order and in pieces of at most 1024 frames: memory stays small for a video of any length."""
        parts: list[Packed] = []
        for part in self._packed(encoder_digest, media_digest, frames):
            parts.append(part)
            if len(parts) == BLOCKS_AT_ONCE:
                yield _join(parts, part.rows.shape[1])
                parts = []
        if parts:
            yield _join(parts, parts[0].rows.shape[1])

    def read_many(self, encoder_digest: str, keys: Sequence[Key]) -> Embeddings:
        """float32 (n, dim) in the order of the (media digest, frame) keys. Raises NotEmbedded for what is missing."""
        file = self._file(encoder_digest)
        with file.reading():  # learns how long its rows are, in a process that has read nothing yet
            pass
        wanted: dict[str, list[int]] = {}
        for place, (media, _) in enumerate(keys):
            wanted.setdefault(media, []).append(place)
        rows = np.empty((len(keys), file.dim), np.float32)
        found = np.zeros(len(keys), bool)
        single = [media for media, places in wanted.items() if len(places) == 1 and keys[places[0]][1] == 0]
        places = [wanted.pop(media)[0] for media in single]
        for place, row in zip(places, file.first_rows(single), strict=True):
            if row is not None:
                rows[place], found[place] = np.frombuffer(row, file.dtype), True
        for media, where in wanted.items():
            frames = np.array([keys[place][1] for place in where], np.int64)
            numbers, embeddings = self.read(encoder_digest, media, Frames.at(frames.tolist()))
            at = np.searchsorted(numbers, frames)
            there = np.isin(frames, numbers)
            rows[np.array(where)[there]] = embeddings[at[there]]
            found[np.array(where)[there]] = True
        if not found.all():
            raise NotEmbedded([keys[place] for place in np.flatnonzero(~found)])
        return _unit(rows)

    def count(self, encoder_digest: str) -> int:
        """How many frames have an embedding."""
        with self._file(encoder_digest).reading() as connection:
            if connection is None:
                return 0
            return sum(
                int.from_bytes(present, "little").bit_count()
                for (present,) in connection.execute("SELECT present FROM blocks")
            )

    def changes(self, encoder_digest: str, since: Mark = START) -> Iterator[Changes]:
        """The blocks that were written after `since`, in pieces: go on next time from the last one's mark.

        At least one piece comes, which may be empty. Where it `starts_over`, forget what was heard before.
        """
        with self._file(encoder_digest).reading() as connection:
            if connection is None:
                yield Changes.of([], START, starts_over=True)
                return
            yield from changed_blocks(connection, since)

    def held(self, encoder_digest: str, media: Sequence[str]) -> Iterator[Changes]:
        """All blocks of these media, in pieces, whose marks mean nothing."""
        with self._file(encoder_digest).reading() as connection:
            if connection is not None:
                yield from held_blocks(connection, media)

    def forget(self, media_digest: str) -> None:
        """Drop the embeddings of one media under every encoder."""
        for path in sorted(self.directory.glob("*.sqlite")):
            with self._file(path.stem).writing() as connection:
                connection.execute("DELETE FROM blocks WHERE media = ?", (media_digest,))
                start_over(connection)

    def close(self) -> None:
        """Close what is open; the store may be used again afterwards."""
        for file in self._files.values():
            file.close()

    def _packed(self, encoder_digest: str, media_digest: str, frames: Frames) -> Iterator[Packed]:
        """The stored blocks that hold any of the frames, cut down to them, in order."""
        wanted = frame_numbers(frames)
        places = np.unique(wanted // BLOCK)
        file = self._file(encoder_digest)
        # Runs of neighbouring blocks are read by one statement each, a few at a time so that memory stays bounded.
        for run in np.split(places, np.flatnonzero(np.diff(places) != 1) + 1):
            for start in range(0, len(run), BLOCKS_AT_ONCE):
                some = run[start : start + BLOCKS_AT_ONCE]
                with file.reading() as connection:
                    if connection is None or not len(some):
                        return
                    found = connection.execute(
                        "SELECT block, present, rows FROM blocks "
                        "WHERE media = ? AND block BETWEEN ? AND ? ORDER BY block",
                        (media_digest, int(some[0]), int(some[-1])),
                    ).fetchall()
                for block, present, rows in found:
                    low, high = np.searchsorted(wanted, [block * BLOCK, (block + 1) * BLOCK])
                    part = Packed.cut(block, present, rows, file.dtype, wanted[low:high])
                    if len(part.numbers):
                        yield part

    def _file(self, encoder_digest: str) -> EmbeddingFile:
        if not re.fullmatch(r"[0-9a-zA-Z_-]{4,128}", encoder_digest):
            raise ValueError(f"an encoder digest is made of letters and digits, got {encoder_digest!r}")
        return self._files.setdefault(encoder_digest, EmbeddingFile(self.directory / f"{encoder_digest}.sqlite"))


def _merge(
    connection: sqlite3.Connection, media: str, block: int, places: NDArray[np.int64], rows: NDArray[np.floating]
) -> None:
    places, first = np.unique(places, return_index=True)
    rows = rows[first]
    old = connection.execute(
        "SELECT present, rows FROM blocks WHERE media = ? AND block = ?", (media, block)
    ).fetchone()
    if old is not None:
        held = unpack_numbers(0, old[0])
        new = ~np.isin(places, held)
        if not new.any():
            return
        all_places = np.concatenate([held, places[new]])
        all_rows = np.concatenate([np.frombuffer(old[1], rows.dtype).reshape(len(held), -1), rows[new]])
        order = np.argsort(all_places)
        places, rows = all_places[order], all_rows[order]
    connection.execute("REPLACE INTO blocks VALUES (?, ?, ?, ?)", (media, block, pack(places), rows.tobytes()))


def _join(parts: Sequence[Packed], dim: int) -> tuple[Ids, Embeddings]:
    numbers = np.concatenate([part.numbers for part in parts]) if parts else np.empty(0, np.int64)
    rows = np.empty((len(numbers), dim), np.float32)
    position = 0
    for part in parts:
        rows[position : position + len(part.numbers)] = part.rows
        position += len(part.numbers)
    return numbers, _unit(rows)


def _unit(rows: Embeddings) -> Embeddings:
    """The same array, its rows brought back to norm 1 after rounding."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.maximum(norms, np.finfo(np.float32).tiny)[:, None]
    return rows


def _as_frames(numbers: NDArray[np.int64]) -> Frames:
    """Distinct frame numbers, in any order, as ranges; thousands of frames must not become thousands of steps."""
    numbers = np.sort(numbers)
    edges = np.flatnonzero(np.diff(numbers) != 1)
    starts = numbers[np.concatenate([[0], edges + 1])]
    stops = numbers[np.concatenate([edges, [len(numbers) - 1]])] + 1
    return Frames(tuple(zip(starts.tolist(), stops.tolist(), strict=True)))
