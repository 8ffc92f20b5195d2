"""Thumbnails on disk: small JPEGs by what they show, at most so many bytes of them."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

SIZES = (96, 160, 240, 320, 480, 960)
"""Pixels of the longer side; no other is made, so that nobody fills the disk by asking."""
MOST_BYTES = 1_000_000_000
_LOOK_AFTER = 2_000
_KEEP = 0.8


class ThumbnailFiles:
    """Below the data directory. Named by content, so that a file is right for ever; it may be gone at any time."""

    def __init__(self, data_dir: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._root = data_dir / "thumbnails"
        self._most_bytes = most_bytes
        self._written = 0

    def path(self, digest: str, frame: int, size: int) -> Path:
        return self._root / digest[:2] / f"{digest}-{frame}-{size}.jpg"

    def write(self, digest: str, frame: int, size: int, jpeg: bytes) -> None:
        """Whole, or not at all."""
        path = self.path(digest, frame, size)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{uuid4().hex}")
        draft.write_bytes(jpeg)
        draft.replace(path)
        self._written += 1
        if self._written % _LOOK_AFTER == 0:
            self.prune()

    def prune(self) -> int:
        """Removes the oldest where there are too many bytes; returns how many files went."""
        held = []
        for directory in os.scandir(self._root) if self._root.is_dir() else ():
            for entry in os.scandir(directory.path) if directory.is_dir() else ():
                about = entry.stat()
                held.append((about.st_mtime, about.st_size, entry.path))
        total = sum(size for _, size, _ in held)
        gone = 0
        if total > self._most_bytes:
            for _, size, path in sorted(held):
                if total <= _KEEP * self._most_bytes:
                    break
                Path(path).unlink(missing_ok=True)
                total -= size
                gone += 1
        return gone
