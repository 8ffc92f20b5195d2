"""Files that were made to be taken away: below the data directory for a day, whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..errors import BadRequest

KEPT_S = 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Exported:
    """name: of the file, for people. told: what is in it, and what is not. Times in seconds of Unix time."""

    id: str
    project: str
    name: str
    kind: str
    size_bytes: int
    created_at: float
    expires_at: float
    told: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Times as text."""
        told = {name: told for name, told in asdict(self).items() if name != "project"}
        times = {name: told[name] for name in ("created_at", "expires_at")}
        return told | {name: datetime.fromtimestamp(time, timezone.utc).isoformat() for name, time in times.items()}


@dataclass
class Draft:
    """path: to be written, of a file that is not there yet."""

    path: Path
    told: dict[str, Any] = field(default_factory=dict)


class ExportedFiles:
    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "exports"

    @contextmanager
    def draft(self, project: str, id: str, name: str, kind: str) -> Iterator[Draft]:
        """Where a file is written; it is there from the end of the block on, unless that raises."""
        if not _ID.fullmatch(id):
            raise BadRequest(f"an export is named by 32 hexadecimal digits, got {id[:60]!r}")
        self._root.mkdir(parents=True, exist_ok=True)
        self._sweep()
        draft = Draft(self._root / f"draft-{id}{Path(name).suffix}")
        draft.path.unlink(missing_ok=True)
        try:
            yield draft
            told = {"project": project, "name": name, "kind": kind, "told": draft.told}
            self._about(id).write_text(json.dumps(told))
            draft.path.replace(self.path(id))
        finally:
            draft.path.unlink(missing_ok=True)

    def path(self, id: str) -> Path:
        return self._root / f"{id}.file"

    def find(self, project: str, id: str) -> Exported:
        """Raises BadRequest where it is not there (any more), or belongs to another project."""
        found = self._read(id) if _ID.fullmatch(id) else None
        if found is None or found.project != project:
            raise BadRequest(f"there is no export {id[:60]!r} of this project (any more): they are kept for a day")
        return found

    def of(self, project: str) -> list[Exported]:
        """The newest first."""
        names = self._root.glob("*.file") if self._root.is_dir() else ()
        found = [one for path in names if (one := self._read(path.stem)) is not None and one.project == project]
        return sorted(found, key=lambda one: -one.created_at)

    def remove(self, project: str, id: str) -> None:
        self.find(project, id)
        self.path(id).unlink(missing_ok=True)
        self._about(id).unlink(missing_ok=True)

    def has_room(self, more_bytes: int = 1_000_000_000) -> bool:
        return shutil.disk_usage(self._root).free > more_bytes

    def _about(self, id: str) -> Path:
        return self._root / f"{id}.json"

    def _read(self, id: str) -> Exported | None:
        try:
            told = json.loads(self._about(id).read_text())
            stat = self.path(id).stat()
        except FileNotFoundError:
            return None
        expires_at = stat.st_mtime + KEPT_S
        if expires_at < time.time():
            return None
        return Exported(
            id, told["project"], told["name"], told["kind"], stat.st_size, stat.st_mtime, expires_at, told["told"]
        )

    def _sweep(self) -> None:
        old = time.time() - KEPT_S
        for path in self._root.iterdir():
            if path.stat().st_mtime < old:
                path.unlink(missing_ok=True)
