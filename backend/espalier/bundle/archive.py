"""A bundle as one ZIP file, written and unpacked.

What comes from elsewhere may be made to do harm: names that lead outside, links, and a few bytes that swell to
terabytes. So the manifest is read first, and then only what it names is written, at most as long as it says.
"""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ..errors import BadModel
from . import manifest as manifests
from .manifest import MAX_BYTES, MAX_FILES, NAME, REMEDY, Manifest

MAX_TOTAL_BYTES = 20_000_000_000
_WRITTEN_AT = (1980, 1, 1, 0, 0, 0)  # equal bundles give equal archives
_TOP = "espalier-bundle"
_BLOCK = 1 << 20
_STORED = (".onnx", ".safetensors")
"""Weights hardly shrink, and are opened sooner as they are."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def pack(directory: Path, path: Path) -> None:
    """Write a bundle's directory as a ZIP that unpacks into one directory."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with zipfile.ZipFile(beside, "w") as archive:
            for file in sorted(found for found in directory.rglob("*") if found.is_file()):
                info = zipfile.ZipInfo(f"{_TOP}/{file.relative_to(directory).as_posix()}", _WRITTEN_AT)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_STORED if file.suffix in _STORED else zipfile.ZIP_DEFLATED
                with file.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                    while block := source.read(_BLOCK):
                        target.write(block)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def unpack(path: Path, directory: Path) -> Manifest:
    """Into an empty directory, checking every byte on the way. Raises BadModel where it is not whole, or not a bundle.

    Nothing is written outside of the directory, nothing but what the manifest names, and no more than it says.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _unpack(archive, path, directory)
    except _BROKEN as error:
        raise BadModel(f"{path} is not a ZIP file that can be read whole ({error}); {REMEDY}") from error


def _unpack(archive: zipfile.ZipFile, path: Path, directory: Path) -> Manifest:
    entries = [info for info in archive.infolist() if not info.is_dir()]
    if len(entries) > MAX_FILES:
        raise BadModel(f"{path} is refused: it holds {len(entries)} files, and a bundle has at most {MAX_FILES}")
    for info in entries:
        _check_name(info, path)
    tops = [info for info in entries if PurePosixPath(info.filename).name == NAME]
    top = min(tops, key=lambda info: len(PurePosixPath(info.filename).parts), default=None)
    if top is None:
        raise BadModel(f"{path} is no Espalier bundle: it holds no {NAME}")
    with archive.open(top) as file:
        written = file.read(MAX_BYTES + 1)
    if len(written) > MAX_BYTES:
        raise BadModel(f"{path} is refused: its {NAME} is longer than {MAX_BYTES // 1_000_000} MB")
    manifest = Manifest.from_bytes(written, str(path))
    total = sum(entry.bytes for entry in manifest.files.values())
    if total > MAX_TOTAL_BYTES:
        raise BadModel(f"{path} is refused: it would take {total / 1e9:.0f} GB of disk")
    prefix = top.filename.removesuffix(NAME)
    found = {info.filename.removeprefix(prefix): info for info in entries if info.filename.startswith(prefix)}
    surplus = sorted(info.filename for info in entries if not info.filename.startswith(prefix))
    surplus += sorted(found.keys() - manifest.files.keys() - {NAME})
    missing = sorted(manifest.files.keys() - found.keys())
    if surplus or missing or len(found) + len(surplus) < len(entries):
        what = f"{missing[0]} is missing" if missing else f"{surplus[0] if surplus else 'a file'} is not its own"
        raise BadModel(f"{path} is not as it was written: {what}; {REMEDY}")
    for name, entry in manifest.files.items():
        _extract(archive, found[name], entry, directory / name, path)
    (directory / NAME).write_bytes(written)
    return manifest


def _check_name(info: zipfile.ZipInfo, path: Path) -> None:
    name = info.filename
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or "\\" in name or ":" in name:
        raise BadModel(f"{path} is refused: it would write {name[:80]!r}, which is outside of the bundle")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise BadModel(f"{path} is refused: {name[:80]!r} in it is a link or device, and a bundle has files alone")
    if info.flag_bits & 0x1:
        raise BadModel(f"{path} is refused: {name[:80]!r} in it is encrypted, and bundles are not")


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, entry: manifests.Entry, target: Path, path: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.bytes
    with archive.open(info) as source, target.open("xb") as file:
        while block := source.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                break
            digest.update(block)
            file.write(block)
    if left or digest.hexdigest() != entry.sha256:
        raise BadModel(f"{path} is not as it was written: {info.filename} was changed; {REMEDY}")
