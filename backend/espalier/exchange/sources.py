"""Directories and ZIP files that are read file by file, and never unpacked.

What comes from elsewhere may be made to do harm: names that lead outside, links, and a few bytes that swell to
terabytes. Names are only names here; links are not followed; and no file is read further than it may be.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from ..errors import BadRequest
from .file_names import Parts
from .problem import Problem

MOST_FILES = 100_000
MOST_FILE_BYTES = 240_000_000
"""Label Studio takes no larger request, by its own default."""
MOST_BYTES = 50_000_000_000
MOST_RATIO = 100
"""Of a file's size to its packed size. Pictures and videos are packed themselves: theirs is about 1."""
_SMALL = 1_000_000
_MOST_LISTING_BYTES = 64_000_000
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class Source(Protocol):
    problems: list[Problem]

    def files(self) -> list[Parts]: ...

    def read(self, parts: Parts) -> bytes: ...

    def close(self) -> None: ...


def open_source(path: Path) -> Source:
    """Raises BadRequest for what is neither a directory nor a ZIP file, or is made to do harm."""
    return DirectorySource(path) if path.is_dir() else ZipSource(path)


class DirectorySource:
    """The files below a directory. Links are left out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []

    def files(self) -> list[Parts]:
        found: list[Parts] = []
        for directory, names, files in os.walk(self.root):
            names.sort()
            for name in sorted(files):
                path = Path(directory, name)
                parts = path.relative_to(self.root).parts
                if path.is_symlink() or not path.is_file():
                    self.problems.append(
                        Problem("/".join(parts), name, "links are not followed", "copy the file there")
                    )
                elif path.stat().st_size > MOST_FILE_BYTES:
                    self.problems.append(_too_large(parts, path.stat().st_size))
                else:
                    found.append(parts)
                if len(found) > MOST_FILES:
                    raise BadRequest(f"{self.root} holds more than {MOST_FILES:,} files: import a part at a time")
        return found

    def read(self, parts: Parts) -> bytes:
        path = self.root.joinpath(*parts)
        if path.is_symlink():
            raise BadRequest(f"{path} has become a link: links are not followed")
        return path.read_bytes()

    def close(self) -> None:
        pass


class ZipSource:
    """The files of a ZIP file."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self._entries: dict[Parts, zipfile.ZipInfo] = {}
        _check_listing(path)
        try:
            self._archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise BadRequest(f"this is no ZIP file that can be read: {error}") from error

    def files(self) -> list[Parts]:
        """Raises BadRequest where there are too many."""
        total = 0
        self._entries.clear()
        for info in self._archive.infolist():
            if info.is_dir():
                continue
            parts = self._checked(info)
            if parts is None:
                continue
            total += info.file_size
            if len(self._entries) >= MOST_FILES:
                raise BadRequest(f"the ZIP file holds more than {MOST_FILES:,} files: import a part at a time")
            if total > MOST_BYTES:
                raise BadRequest(
                    f"the ZIP file would unpack to more than {MOST_BYTES / 1e9:.0f} GB: import a part at a time"
                )
            self._entries[parts] = info
        return list(self._entries)

    def read(self, parts: Parts) -> bytes:
        """Raises BadRequest where it is damaged, or longer than it says."""
        info = self._entries[parts]
        try:
            with self._archive.open(info) as file:
                data = file.read(info.file_size + 1)
        except _BROKEN as error:
            raise BadRequest(f"{'/'.join(parts)} in the ZIP file cannot be read: {error}") from error
        if len(data) != info.file_size:
            raise BadRequest(f"{'/'.join(parts)} in the ZIP file is not as long as the ZIP file says: it is damaged")
        return data

    def close(self) -> None:
        self._archive.close()

    def _checked(self, info: zipfile.ZipInfo) -> Parts | None:
        name = info.filename.replace("\\", "/")
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        why, do = "", "pack it anew"
        if not parts or ".." in parts or name.startswith("/") or ":" in parts[0] or "\0" in name:
            why = "the name leads out of the archive"
        elif stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            why, do = "this is no plain file, such as a link", "put the file itself into the archive"
        elif info.flag_bits & 1:
            why, do = "the file is encrypted", "pack it without a password"
        elif info.file_size > _SMALL and info.file_size > MOST_RATIO * max(1, info.compress_size):
            why = f"it would swell {info.file_size / max(1, info.compress_size):.0f} times, as no picture does"
        elif info.file_size > MOST_FILE_BYTES:
            self.problems.append(_too_large(parts, info.file_size))
            return None
        elif parts in self._entries:
            why = "the archive holds this name twice"
        if why:
            self.problems.append(Problem(name[:300] or "?", name[:300], why, do))
            return None
        return parts


def _too_large(parts: Parts, size: int) -> Problem:
    why = f"it has {size / 1e6:.0f} MB, and Label Studio takes at most {MOST_FILE_BYTES / 1e6:.0f} MB at a time"
    return Problem("/".join(parts), parts[-1], why, "make it smaller, or connect a storage to Label Studio")


def _check_listing(path: Path) -> None:
    """The list of files at a ZIP's end is read whole by whoever opens it: not where it is made to fill the memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - (1 << 16) - 128))
        tail = file.read()
        at = tail.rfind(b"PK\5\6")
        if at < 0 or len(tail) < at + 22:
            raise BadRequest("this is no ZIP file: its end is missing; was it sent whole?")
        count, length = struct.unpack("<HL", tail[at + 10 : at + 16])
        locator = tail[max(0, at - 20) : at]
        if locator[:4] == b"PK\6\7":
            file.seek(min(size, struct.unpack("<Q", locator[8:16])[0]))
            record = file.read(56)
            if len(record) == 56 and record[:4] == b"PK\6\6":
                count, length = struct.unpack("<QQ", record[32:48])
    if count > 2 * MOST_FILES or length > _MOST_LISTING_BYTES:
        raise BadRequest(
            f"the ZIP file lists {count:,} files; at most {MOST_FILES:,} are read: import a part at a time"
        )
