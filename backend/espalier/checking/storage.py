"""What lies in the data directory, and how much of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MEANING = {
    "embeddings": "embeddings of frames; made again where they are missing",
    "encoders": "networks that were fine-tuned or prepared here",
    "exports": "what was exported, for a while",
    "index": "indexes that frames are searched with; made again where they are missing",
    "media": "downloaded pictures and videos; bounded by ESPALIER_CACHE_GB",
    "thumbnails": "small pictures of frames; made again where they are missing",
    "uploads": "pictures that were uploaded to search with, for a while",
    "valkey": "the queue",
    "versions": "model versions",
    "espalier.sqlite": "projects, answers, predictions, runs: what cannot be made again",
}


@dataclass(frozen=True)
class Stored:
    name: str
    meaning: str
    files: int
    size_bytes: int


def stored(directory: Path) -> list[Stored]:
    """By the names in the data directory, the largest first; files that belong to the database count with it."""
    found: dict[str, list[int]] = {}
    for path, size in _files(directory):
        top = path.relative_to(directory).parts[0]
        name = "espalier.sqlite" if top.startswith("espalier.sqlite") else top
        count = found.setdefault(name if name in _MEANING else "other", [0, 0])
        count[0] += 1
        count[1] += size
    listed = [Stored(name, _MEANING.get(name, ""), files, size) for name, (files, size) in found.items()]
    return sorted(listed, key=lambda one: -one.size_bytes)


def free_bytes(directory: Path) -> int:
    return shutil.disk_usage(directory).free


def _files(directory: Path) -> Iterator[tuple[Path, int]]:
    """What vanishes meanwhile does not count; links are not followed."""
    for root, _, names in os.walk(directory):
        for name in names:
            path = Path(root, name)
            try:
                yield path, path.lstat().st_size
            except OSError:
                continue
