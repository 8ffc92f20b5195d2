"""A directory of files that appears whole, with checksums, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from espalier.errors import BadIndex, BadSetting

ABOUT = "about.json"
BLOCK_BYTES = 1 << 22
DRAFT = ".draft"


def seal(directory: Path, write: Callable[[Path], dict[str, Any]]) -> None:
    """All that `write` puts into the draft that it is given is on the disk under `directory` when this returns.

    What `write` returns is kept beside the checksums. What was left of an earlier try goes away. Raises BadSetting
    where the disk does not take it; then nothing of it is left there.
    """
    draft = directory.with_name(directory.name + DRAFT)
    with writing(directory):
        for left in (draft, directory):
            if left.exists():
                shutil.rmtree(left)
        try:
            _fill(draft, write)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        draft.rename(directory)
        sync_directory(directory.parent)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around what writes there: raises BadSetting where the disk does not take it."""
    try:
        yield
    except OSError as error:
        # Not BadIndex: what was written before is whole, and is not to be made anew.
        there = next(above for above in (path, *path.resolve().parents) if above.is_dir())
        free_mb = shutil.disk_usage(there).free // 10**6
        raise BadSetting(
            f"{path} cannot be written: {error.strerror or error} ({free_mb} MB are free there). Make room, or move "
            "the data directory (ESPALIER_DATA_DIR) to another disk, and ask again: what was written before still holds"
        ) from error


def _fill(draft: Path, write: Callable[[Path], dict[str, Any]]) -> None:
    draft.mkdir()
    about = write(draft)
    files = {}
    for path in sorted(draft.iterdir()):
        with path.open("rb") as file:
            sums = [zlib.crc32(block) for block in iter(lambda: file.read(BLOCK_BYTES), b"")]
            os.fsync(file.fileno())
        files[path.name] = {"size": path.stat().st_size, "checksums": sums}
    held = {**about, "files": files}
    with (draft / ABOUT).open("wb") as file:
        file.write(json.dumps({**held, "checksum": _checksum(held)}).encode())
        file.flush()
        os.fsync(file.fileno())
    sync_directory(draft)


def read_sealed(directory: Path, *, verify_mb: int) -> dict[str, Any]:
    """What `write` returned. Raises BadIndex where a file is missing, of another size, or a checksum differs.

    Of files larger than verify_mb, blocks of 4 MB that are spread evenly are looked at.
    """
    try:
        held = json.loads((directory / ABOUT).read_bytes())
        checksum = held.pop("checksum")
        if _checksum(held) != checksum:
            raise ValueError("its checksum differs")
        for name, written in held.pop("files").items():
            _verify(directory / name, written["size"], written["checksums"], verify_mb)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadIndex(f"{directory / ABOUT} is damaged or missing: {error}") from None
    return dict(held)


def sync_directory(directory: Path) -> None:
    """The names in it are on the disk, too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(held: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(held).encode())


def _verify(path: Path, size: int, checksums: list[int], verify_mb: int) -> None:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        raise BadIndex(f"{path} is missing") from None
    if found != size:
        raise BadIndex(f"{path} has {found} bytes, {size} were written")
    count = min(len(checksums), max(1, (verify_mb << 20) // BLOCK_BYTES))
    with path.open("rb") as file:
        for block in np.unique(np.linspace(0, len(checksums) - 1, count).astype(int)).tolist() if count else []:
            file.seek(block * BLOCK_BYTES)
            if zlib.crc32(file.read(BLOCK_BYTES)) != checksums[block]:
                raise BadIndex(f"{path} is damaged in the 4 MB from byte {block * BLOCK_BYTES}: a checksum differs")
