"""The journal of an index: what was added and removed since its last generation, in the order in which it happened.

A file: a header of 24 bytes, then records of 16 bytes and a payload each. A record's head carries a checksum of its
own, so that its length is certain before it is believed, and one of its payload. Whoever appends holds the lock of the
directory; whoever reads needs none: a record that is not whole yet is not there yet.

A process that is killed leaves the beginning of a record at most: that is cut by who writes next. Anything else that
does not fit is damage, and is said to be: what was acknowledged must not go away without a word.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espalier.contract import Embeddings, Ids
from espalier.errors import BadIndex

from .sealed_directory import sync_directory, writing

HEADER = struct.Struct("<8sIQI")
HEAD = struct.Struct("<4sIII")
MAGIC = b"ESPJRNL1"
ADDED, REMOVED = b"ADD+", b"GONE"


@dataclass(frozen=True)
class Record:
    """What happened once: embeddings float32 (n, dim) where ids were added, None where they were removed."""

    ids: Ids
    embeddings: Embeddings | None


class Journal:
    """One file, and how far it has been read; `offset` is the end of the last whole record that `read` gave."""

    def __init__(self, path: Path, *, dim: int, generation: int) -> None:
        self.path, self.dim, self.generation = path, dim, generation
        self.offset = 0

    def read(self) -> Iterator[Record]:
        """What came since the last call. Raises BadIndex where the file is missing, damaged or not this index's own."""
        try:
            size = os.stat(self.path).st_size  # noqa: PTH116 - asked before every search
            if size == self.offset and size:
                return
            if size < self.offset:  # a write failed after others had read it
                raise BadIndex(f"{self.path} became shorter: {size} bytes, {self.offset} were read")
            file = self.path.open("rb")
        except FileNotFoundError:
            raise BadIndex(f"{self.path} is missing") from None
        with file:
            if self.offset == 0:
                if file.read(HEADER.size) != self._header():
                    raise BadIndex(f"{self.path} is damaged or not the journal of this index: its header is another")
                self.offset = HEADER.size
            file.seek(self.offset)
            while True:
                head = file.read(HEAD.size)
                if len(head) < HEAD.size:
                    return
                length, checksum = self._length(head)
                payload = file.read(length) if length is not None else b""
                if length is None or zlib.crc32(payload) != checksum:
                    if length is not None and len(payload) < length:
                        return
                    # After a power cut a file may end in zeros that were never written: that was not acknowledged.
                    if not any((head + payload)[-HEAD.size :]) and not any(file.read()):
                        return
                    raise BadIndex(f"{self.path} is damaged at byte {self.offset}: a checksum differs")
                self.offset += HEAD.size + length
                yield self._record(head, payload)

    def append(self, ids: Ids, embeddings: Embeddings | None) -> None:
        """On the disk when it returns. Only under the lock, after everything was read; what is not whole is cut.

        Raises BadSetting where the disk does not take it; then the journal is as it was.
        """
        payload = np.ascontiguousarray(ids, "<i8").tobytes()
        if embeddings is not None:
            payload += np.ascontiguousarray(embeddings, "<f4").tobytes()
        kind = REMOVED if embeddings is None else ADDED
        start = struct.pack("<4sII", kind, len(ids), zlib.crc32(payload))
        written = start + struct.pack("<I", zlib.crc32(start)) + payload
        with writing(self.path), self.path.open("ab", buffering=0) as file:
            file.truncate(self.offset)
            try:
                rest = memoryview(written)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(self.offset)
                raise
        self.offset += len(written)

    def begin(self, records: bytes = b"") -> None:
        """A new file, with whole records of another journal. On the disk when it returns. Raises BadSetting."""
        with writing(self.path):
            with self.path.open("wb") as file:
                file.write(self._header() + records)
                file.flush()
                os.fsync(file.fileno())
            sync_directory(self.path.parent)

    def records_since(self, offset: int) -> bytes:
        """The bytes of the whole records between the offset and what was read."""
        with self.path.open("rb") as file:
            file.seek(max(offset, HEADER.size))
            return file.read(self.offset - file.tell())

    def _header(self) -> bytes:
        start = struct.pack("<8sIQ", MAGIC, self.dim, self.generation)
        return start + struct.pack("<I", zlib.crc32(start))

    def _length(self, head: bytes) -> tuple[int | None, int]:
        """Of the payload, None where the head is damaged; and the payload's checksum."""
        kind, count, checksum, own = HEAD.unpack(head)
        if zlib.crc32(head[:-4]) != own or kind not in (ADDED, REMOVED):
            return None, 0
        return count * (8 + (4 * self.dim if kind == ADDED else 0)), checksum

    def _record(self, head: bytes, payload: bytes) -> Record:
        kind, count, _, _ = HEAD.unpack(head)
        ids = np.frombuffer(payload, "<i8", count).astype(np.int64)
        if kind == REMOVED:
            return Record(ids, None)
        return Record(ids, np.frombuffer(payload, "<f4", offset=8 * count).reshape(count, self.dim).astype(np.float32))
