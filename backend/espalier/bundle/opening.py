"""Opening a bundle: every byte is checked before any of it is used."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from ..errors import BadModel
from .archive import unpack
from .manifest import MAX_BYTES, NAME, REMEDY, Manifest, entry_of


@dataclass(frozen=True)
class Bundle:
    """A bundle that is whole, in a directory."""

    directory: Path
    manifest: Manifest


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """A bundle's directory, or its ZIP, which is unpacked for as long as it is open.

    Raises BadModel, in words, for what is no bundle, not whole, or not as it was written.
    """
    if path.is_dir():
        yield Bundle(path, verified(path))
        return
    if not path.exists():
        raise BadModel(f"there is no bundle at {path}; `espalier bundle PROJECT --to {path}` writes one")
    directory, owner = Path(tempfile.mkdtemp(prefix="espalier-bundle-")), os.getpid()
    try:
        yield Bundle(directory, unpack(path, directory))
    finally:
        if os.getpid() == owner:  # and not where a forked server leaves
            rmtree(directory, ignore_errors=True)


def verified(directory: Path) -> Manifest:
    """The manifest of a directory in which every file is as it was written; BadModel names the one that is not."""
    path = directory / NAME
    try:
        written = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    except OSError as error:
        raise BadModel(f"{directory} is no Espalier bundle: {NAME} cannot be read ({error.strerror})") from error
    manifest = Manifest.from_bytes(written, str(directory))
    found: set[str] = set()
    for file in _walk(directory):
        name = file.relative_to(directory).as_posix()
        if file.is_symlink():
            raise BadModel(f"{directory} is refused: {name} is a link, and a bundle has files alone")
        if name == NAME:
            continue
        entry = manifest.files.get(name)
        if entry is None:
            raise BadModel(f"{directory} is not as it was written: {name} is not its own; remove it, or {REMEDY}")
        if file.stat().st_size != entry.bytes or entry_of(file) != entry:
            raise BadModel(f"{directory} is not as it was written: {name} was changed; {REMEDY}")
        found.add(name)
    missing = sorted(manifest.files.keys() - found)
    if missing:
        raise BadModel(f"{directory} is not as it was written: {missing[0]} is missing; {REMEDY}")
    return manifest


def _walk(directory: Path) -> Iterator[Path]:
    """Every file and link below, without following any."""
    for root, folders, files in os.walk(directory, followlinks=False):
        for name in sorted([*files, *(folder for folder in folders if (Path(root) / folder).is_symlink())]):
            yield Path(root) / name
