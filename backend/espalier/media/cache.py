"""Downloaded media on disk: kept by content, found by link, bounded, and safe for several processes and for kills.

A file lies at `<first two digits of its digest>/<digest>`, and is only ever moved there whole. Its modification time
says when it was last used: the longest unused go first. A small SQLite file knows which link gave which content.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .partial import Partial

log = logging.getLogger(__name__)

_KEPT_S = 600.0
"""What was used this recently is never thrown away: another process may be reading it."""
_RECOUNT_S = 60.0
_STALE_PARTIAL_S = 7 * 86400.0
_BLOCK = 1 << 20
_TABLES = """
    CREATE TABLE IF NOT EXISTS links (
        url TEXT PRIMARY KEY, digest TEXT NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL,
        modified TEXT NOT NULL, checked_at REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS paths (
        path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, eq=False)
class LocalFile:
    """A file on this machine's disk that holds a task's media. While one is alive, the cache keeps its file.

    digest: SHA-256 of the content, in hex. url: where it came from.
    """

    path: Path
    digest: str
    url: str

    def named(self, message: str) -> str:
        """A message about the file, with the link in place of the name that the file has here."""
        return message.replace(self.path.name, shown(self.url), 1)


@dataclass(frozen=True)
class Link:
    """What is known of a link: the content that it gave, and by which marks its server tells whether it changed."""

    digest: str
    bytes: int
    etag: str = ""
    modified: str = ""
    checked_at: float = 0.0
    """Unix time at which the server last said so."""


class MediaCache:
    """Bounded by `max_bytes`, which only files in use may exceed; no file may be larger than `max_file_bytes`."""

    def __init__(self, directory: Path, max_bytes: int, max_file_bytes: int) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.max_file_bytes = max_file_bytes
        self._partials = directory / "partial"
        self._partials.mkdir(parents=True, exist_ok=True)
        self._database = directory / "links.sqlite"
        self._lock = threading.Lock()
        self._database_lock = threading.Lock()
        self._connections: dict[int, sqlite3.Connection] = {}
        self._links: dict[str, Link] = {}
        self._digests: dict[tuple[str, int, int], str] = {}
        self._in_use: weakref.WeakValueDictionary[int, LocalFile] = weakref.WeakValueDictionary()
        self._counted_bytes, self._counted_at = 0, float("-inf")
        with self._open() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_TABLES)

    def find(self, url: str, *, recall: bool = True) -> tuple[LocalFile, Link] | None:
        """The whole file that this link gave, if it is still here. recall: what this process remembers will do."""
        link = self._links.get(url) if recall else None
        if link is None:
            with self._open() as database:
                row = database.execute(
                    "SELECT digest, bytes, etag, modified, checked_at FROM links WHERE url = ?", (url,)
                ).fetchone()
            if row is None:
                return None
            link = Link(*row)
        path = self._path(link.digest)
        try:
            if path.stat().st_size != link.bytes:  # not ours: somebody wrote into it
                path.unlink()
                return None
            os.utime(path)
        except FileNotFoundError:
            self._links.pop(url, None)
            return None
        self._links[url] = link
        return self._held(path, link.digest, url), link

    def keep(self, url: str, partial: Partial, digest: str, *, etag: str = "", modified: str = "") -> LocalFile:
        """Take in a finished download; the caller holds `downloading(url)` and has checked that it is whole."""
        size = partial.size
        self._make_room(size)
        path = self._path(digest)
        path.parent.mkdir(exist_ok=True)
        partial.move_to(path)
        os.utime(path)
        self.remember(url, Link(digest, size, etag, modified, time.time()))
        return self._held(path, digest, url)

    def remember(self, url: str, link: Link) -> None:
        """Keep what a link gave, as after its server said that nothing changed."""
        with self._open() as database:
            database.execute(
                "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?)",
                (url, link.digest, link.bytes, link.etag, link.modified, link.checked_at),
            )
        self._links[url] = link

    @contextmanager
    def downloading(self, url: str) -> Iterator[Partial]:
        """The place for a download of this link; one process and thread at a time, the others wait here."""
        with Partial.locked(self._partials, hashlib.sha256(url.encode()).hexdigest()[:32]) as partial:
            yield partial

    def local(self, path: Path, url: str) -> LocalFile:
        """A file that is on this machine anyhow: not copied; its digest is computed once per size and change."""
        status = path.stat()
        found = (str(path), status.st_size, status.st_mtime_ns)
        digest = self._digests.get(found)
        if digest is None:
            with self._open() as database:
                row = database.execute(
                    "SELECT digest FROM paths WHERE path = ? AND bytes = ? AND mtime_ns = ?", found
                ).fetchone()
            digest = self._digests[found] = row[0] if row else digest_of(path)
            if not row:
                with self._open() as database:
                    database.execute("INSERT OR REPLACE INTO paths VALUES (?, ?, ?, ?)", (*found, digest))
        return LocalFile(path, digest, url)

    def read_beside(self, digest: str, name: str) -> bytes | None:
        """What was kept with a content under this name."""
        path = self._path(digest, name)
        try:
            os.utime(path)
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def write_beside(self, digest: str, name: str, data: bytes) -> None:
        """Keep something that was computed from a content; it may be thrown away like the content itself."""
        path = self._path(digest, name)
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        unfinished.write_bytes(data)
        unfinished.replace(path)

    def _path(self, digest: str, name: str = "") -> Path:
        return self.directory / digest[:2] / (f"{digest}.{name}" if name else digest)

    def _held(self, path: Path, digest: str, url: str) -> LocalFile:
        file = LocalFile(path, digest, url)
        with self._lock:
            self._in_use[id(file)] = file
        return file

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        # Kept open, since SQLite tidies up on the disk whenever the last connection closes; but never over a fork.
        with self._database_lock:
            connection = self._connections.get(os.getpid())
            if connection is None:
                connection = sqlite3.connect(self._database, timeout=30.0, check_same_thread=False)
                connection.execute("PRAGMA synchronous=NORMAL")
                self._connections[os.getpid()] = connection
                weakref.finalize(self, _close, connection, os.getpid())
            with connection:
                yield connection

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._counted_bytes += size
            if self._counted_bytes <= self.max_bytes and time.monotonic() - self._counted_at < _RECOUNT_S:
                return
            in_use = {file.path for file in self._in_use.values()}
            self._counted_bytes = size + self._evict(size, in_use)
            self._counted_at = time.monotonic()

    def _evict(self, incoming: int, in_use: set[Path]) -> int:
        """Throw away the longest unused until `incoming` bytes fit; gives the bytes that remain."""
        now = time.time()
        files: list[tuple[float, int, Path]] = []
        for path in self.directory.glob("*/*"):
            with suppress(FileNotFoundError):
                status = path.stat()
                if path.parent != self._partials:
                    files.append((status.st_mtime, status.st_size, path))
                elif now - status.st_mtime > _STALE_PARTIAL_S:
                    path.unlink()
        remaining = sum(size for _, size, _ in files)
        for used_at, size, path in sorted(files):
            if remaining + incoming <= self.max_bytes:
                return remaining
            if now - used_at > _KEPT_S and path not in in_use:
                with suppress(FileNotFoundError):
                    path.unlink()
                remaining -= size
        if remaining + incoming > self.max_bytes:
            log.warning(
                "the media cache in %s holds %.1f GB in use, more than ESPALIER_CACHE_GB allows (%.1f GB)",
                self.directory, (remaining + incoming) / 1e9, self.max_bytes / 1e9,
            )  # fmt: skip
        return remaining


def _close(connection: sqlite3.Connection, pid: int) -> None:
    if os.getpid() == pid:
        connection.close()


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def shown(value: str) -> str:
    """A value for messages: without the query of an address, which may hold a signature, and not too long."""
    if value[:5].lower() == "data:":
        return "a data: link"
    if "://" in value:
        value = value.split("?", 1)[0]
    return repr(value if len(value) <= 160 else f"{value[:100]}...{value[-50:]}")
