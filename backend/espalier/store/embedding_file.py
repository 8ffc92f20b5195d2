"""One SQLite file of embeddings: its table, its connections, and what is known of its rows."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

TABLES = """
CREATE TABLE IF NOT EXISTS encoder (dim INTEGER NOT NULL, storage TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS blocks (
  media TEXT NOT NULL, block INTEGER NOT NULL, present BLOB NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (media, block)
);
"""
BUSY_S = 60.0
KEYS_AT_ONCE = 500


class EmbeddingFile:
    """Connections are lent to one thread at a time, and left alone after a fork: SQLite's locks do not survive one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dim = 0
        self.dtype: np.dtype[np.floating] = np.dtype(np.float16)
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._process = os.getpid()

    def begin_with(self, dim: int, storage: str) -> np.dtype[np.floating]:
        """Make the file if it is not there; the first one who writes decides. Returns the dtype of its rows.

        Raises ValueError where the file's rows have another dim.
        """
        if not self.dim:
            with self.writing() as connection:
                if connection.execute("SELECT 1 FROM encoder").fetchone() is None:
                    connection.execute("INSERT INTO encoder VALUES (?, ?)", (dim, storage))
                self._learn(connection)
        if dim != self.dim:
            raise ValueError(f"{self.path.name} keeps embeddings of {self.dim} numbers, got {dim}")
        return self.dtype

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection, or None as long as nothing was ever written."""
        if not self._idle and not self.path.exists():
            yield None
            return
        connection = self._take()
        try:
            if not self.dim:
                self._learn(connection)
            yield connection if self.dim else None
        finally:
            self._give(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, begun as a writer at once: two that read first and then write would refuse each other."""
        connection = self._take()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            self._give(connection)

    def first_rows(self, media: Sequence[str]) -> list[bytes | None]:
        """The stored row of frame 0 of each of these distinct media, None where it is not there."""
        found: dict[str, bytes] = {}
        with self.reading() as connection:
            if connection is None:
                return [None] * len(media)
            for start in range(0, len(media), KEYS_AT_ONCE):
                some = media[start : start + KEYS_AT_ONCE]
                marks = ",".join("?" * len(some))
                size = self.dim * self.dtype.itemsize
                answers = connection.execute(
                    f"SELECT media, present, substr(rows, 1, {size}) FROM blocks "  # noqa: S608 - marks and a number
                    f"WHERE media IN ({marks}) AND block = 0",
                    some,
                )
                found.update((name, rows) for name, present, rows in answers if present[0] & 1)
        return [found.get(name) for name in media]

    def close(self) -> None:
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _learn(self, connection: sqlite3.Connection) -> None:
        known = connection.execute("SELECT dim, storage FROM encoder").fetchone()
        if known is not None:
            self.dtype = np.dtype(known[1])
            self.dim = known[0]

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._process != os.getpid():
                self._idle, self._process = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        with Path(f"{self.path}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of processes that start at once: turning WAL on waits for nobody
            # Rows are large: with 4 KB pages a block would be a chain of hundreds.
            connection.execute("PRAGMA page_size = 32768")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(TABLES)
        return connection

    def _give(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            self._idle.append(connection)
