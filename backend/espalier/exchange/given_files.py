"""Files that somebody sent to be imported: below the data directory, for a day, under names nobody guesses."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ..errors import BadRequest

MOST_BYTES = 8_000_000_000
KEPT_S = 24 * 3600
_FREE_BYTES = 1_000_000_000
"""What is left on the disk for everything else."""
_NAME = re.compile(r"im-[0-9a-f]{32}")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class GivenFile:
    """file: how it is named here. name: how its owner names it. project: the key of the project it was sent to."""

    file: str
    name: str
    project: str
    size_bytes: int
    expires_at: float
    """In seconds of Unix time."""


class GivenFiles:
    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "imports"

    def keep(self, project: str, name: str, read: Callable[[int], bytes]) -> GivenFile:
        """Writes what `read` gives, block by block, until it gives nothing. Raises BadRequest where it is too much."""
        self._root.mkdir(parents=True, exist_ok=True)
        self.sweep()
        file = f"im-{uuid4().hex}"
        draft, size = self._root / f".{file}", 0
        try:
            with draft.open("xb") as opened:
                while block := read(_BLOCK):
                    size += len(block)
                    if size > MOST_BYTES:
                        raise BadRequest(f"the file has more than {MOST_BYTES / 1e9:.0f} GB: import a part at a time")
                    if size % (64 * _BLOCK) < len(block) and shutil.disk_usage(self._root).free < _FREE_BYTES:
                        raise BadRequest("there is no room for the file on the server's disk")
                    opened.write(block)
            if not size:
                raise BadRequest("the file is empty")
            told = {"name": name[:300], "project": project}
            (self._root / f"{file}.json").write_text(json.dumps(told))
            draft.replace(self._root / file)
        finally:
            draft.unlink(missing_ok=True)
        return GivenFile(file, told["name"], project, size, time.time() + KEPT_S)

    def find(self, project: str, file: str) -> tuple[GivenFile, Path]:
        """Raises BadRequest where it is not there (any more), or was sent to another project."""
        path = self._root / file
        if not _NAME.fullmatch(file) or not path.is_file():
            raise BadRequest(f"the file {file[:60]!r} is not here (any more); files are kept for a day: send it again")
        told = json.loads((self._root / f"{file}.json").read_text())
        if told["project"] != project:
            raise BadRequest(f"the file {file!r} was sent to another project: send it to this one")
        stat = path.stat()
        return GivenFile(file, told["name"], project, stat.st_size, stat.st_mtime + KEPT_S), path

    def sweep(self) -> None:
        """What expired, and what a broken connection left."""
        old = time.time() - KEPT_S
        for path in self._root.iterdir():
            if path.stat().st_mtime < old:
                path.unlink(missing_ok=True)
