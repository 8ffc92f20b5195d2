"""A ZIP file, written from its beginning to its end: to a file, a pipe, or whatever takes bytes.

Nothing of a file's content is held beyond a block; of each file its name is. Pictures are stored as they are: they are
packed already.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from .file_names import UniqueNames

_BLOCK = 1 << 20
_WRITTEN_AT = (1980, 1, 1, 0, 0, 0)  # equal content gives equal archives
_LARGE = 1 << 31


class ZipStream:
    """`checked` is called with the bytes written so far, after each file; what it raises ends the writing."""

    def __init__(self, to: IO[bytes], *, checked: Callable[[int], None] = lambda size: None) -> None:
        self._archive = zipfile.ZipFile(to, "w", zipfile.ZIP_STORED)
        self._names = UniqueNames()
        self._checked = checked
        self.size_bytes = self.files = 0

    def __enter__(self) -> ZipStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._archive.close()
        else:  # without the list of files at its end: what was cut short must not look whole
            self._archive.fp = None

    def add(self, directory: str, name: str, content: Path | bytes, *, packed: bool = False) -> str:
        """The path that it got: `directory` ("" or ending with /) and `name`, both safe already, made unique."""
        path = self._names.take(directory, name)
        info = zipfile.ZipInfo(path, _WRITTEN_AT)
        info.external_attr = 0o644 << 16
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        with self._archive.open(info, "w", force_zip64=size >= _LARGE) as target:
            if isinstance(content, bytes):
                target.write(content)
            else:
                with content.open("rb") as source:
                    while block := source.read(_BLOCK):
                        target.write(block)
        self.files += 1
        self.size_bytes += size
        self._checked(self.size_bytes)
        return path
