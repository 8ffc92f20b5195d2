"""Directories that are whole or not there: written beside, and then renamed."""

from __future__ import annotations

import glob
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(directory: Path) -> Iterator[Path]:
    """A new directory to write into, which takes the place of this one when the block ends well."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    new, old = (directory.with_name(f".{directory.name}.{secrets.token_hex(6)}.{age}") for age in ("new", "old"))
    new.mkdir()
    try:
        yield new
        if directory.exists():
            directory.rename(old)
        new.rename(directory)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def mended(directory: Path) -> None:
    """After a kill between the two renames the old one is put back; what was half written goes.

    Nobody else may be writing it.
    """
    pattern = f".{glob.escape(directory.name)}.*"
    for old in directory.parent.glob(f"{pattern}.old"):
        if not directory.exists():
            old.rename(directory)
    for rest in (*directory.parent.glob(f"{pattern}.new"), *directory.parent.glob(f"{pattern}.old")):
        shutil.rmtree(rest, ignore_errors=True)
