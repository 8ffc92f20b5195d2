"""Directories that are whole or not there: written beside, and then renamed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(directory: Path) -> Iterator[Path]:
    """A new directory to write into, which takes the place of this one when the block ends well."""
    new, old = _beside(directory)
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    yield new
    shutil.rmtree(old, ignore_errors=True)
    if directory.exists():
        directory.rename(old)
    new.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def mended(directory: Path) -> None:
    """After a kill between the two renames the old one is put back; what was half written goes."""
    new, old = _beside(directory)
    if old.is_dir() and not directory.exists():
        old.rename(directory)
    for rest in (new, old):
        shutil.rmtree(rest, ignore_errors=True)


def _beside(directory: Path) -> tuple[Path, Path]:
    return directory.with_name(f".{directory.name}.new"), directory.with_name(f".{directory.name}.old")
