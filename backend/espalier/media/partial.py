"""A download that is not finished: its bytes so far, and what the server said of the whole, so that it can go on."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO


@dataclass(frozen=True)
class Promise:
    """What the server said of the whole: its size in bytes, None where it did not say, and its marks of identity."""

    bytes: int | None = None
    etag: str = ""
    modified: str = ""

    @property
    def mark(self) -> str:
        """For `If-Range`: it names this very content. Weak tags do not, nor does silence."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


class Partial:
    """Files of one name: `.part` holds the bytes, `.json` the promise. Made by `locked` alone."""

    def __init__(self, stem: Path) -> None:
        self._part = stem.with_suffix(".part")
        self._told = stem.with_suffix(".json")

    @classmethod
    @contextmanager
    def locked(cls, directory: Path, name: str) -> Iterator[Partial]:
        """Alone among all processes and threads. The kernel lets go where a process is killed."""
        path = directory / f"{name}.lock"
        while True:
            with path.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not _is_still(lock, path):  # the one before has finished and cleared the name away
                    continue
                try:
                    yield cls(directory / name)
                finally:
                    path.unlink(missing_ok=True)
                return

    @property
    def size(self) -> int:
        """Bytes so far."""
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def promise(self) -> Promise | None:
        """What was promised of the bytes so far; None where nothing was begun."""
        try:
            return Promise(**json.loads(self._told.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def start(self, promise: Promise) -> None:
        """Forget the bytes so far; note what is promised of those to come."""
        self.discard()
        self._part.touch()
        self._told.write_text(json.dumps(asdict(promise)))

    def append(self) -> BinaryIO:
        return self._part.open("ab")

    def digest(self) -> Any:
        """A SHA-256 that has taken in the bytes so far."""
        digest = hashlib.sha256()
        with suppress(FileNotFoundError), self._part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest

    def head(self, count: int) -> bytes:
        with self._part.open("rb") as file:
            return file.read(count)

    def move_to(self, path: Path) -> None:
        self._part.replace(path)
        self._told.unlink(missing_ok=True)

    def discard(self) -> None:
        self._part.unlink(missing_ok=True)
        self._told.unlink(missing_ok=True)


def _is_still(lock: Any, path: Path) -> bool:
    try:
        return os.fstat(lock.fileno()).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
