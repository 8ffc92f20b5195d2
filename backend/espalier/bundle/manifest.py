"""The manifest: what is in a bundle, byte for byte, and whose it is. It is checked before anything else is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import BadModel

NAME = "manifest.json"
KIND, FORMAT = "espalier-bundle", 1
MAX_BYTES = 16_000_000
"""Of the manifest itself."""
MAX_FILES = 10_000
REMEDY = "write it again with `espalier bundle`, or copy it again"


@dataclass(frozen=True)
class Entry:
    """One file: SHA-256 in hex, and its size."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """models: by `best` and, for a fine-tuned version that has one, `last`: where its parts lie in the bundle, and its
    encoder (name, plugin, dim, input_size, digest, licence) as it is in the house. precision: what answers by default,
    `fp32` or `int8`. measured: by precision, how far the answers are those of the house. files: every file but the
    manifest, by its path in the bundle.
    """

    name: str
    project: str
    version: str
    espalier: str
    created_at: str
    models: Mapping[str, Mapping[str, Any]]
    precision: str
    measured: Mapping[str, Any]
    seed: int
    ontology_fingerprint: str
    data_fingerprint: str
    files: Mapping[str, Entry] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        about = {
            "kind": KIND,
            "format": FORMAT,
            **{entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "files"},
            "files": {name: vars(entry) for name, entry in sorted(self.files.items())},
        }
        return json.dumps({**about, "digest": _digest(about)}, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> Manifest:
        """What `to_bytes` gave. Raises BadModel for anything else."""
        try:
            about = json.loads(data)
            said = about.pop("digest")
            kind, form = about.pop("kind"), about.pop("format")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            raise BadModel(f"{where} is no Espalier bundle: its {NAME} is not one of Espalier's") from None
        if kind != KIND:
            raise BadModel(f"{where} is no Espalier bundle: its {NAME} is of {str(kind)[:40]!r}")
        if form != FORMAT:
            raise BadModel(
                f"{where} is a bundle of format {str(form)[:20]!r}, and this Espalier reads {FORMAT}: "
                f"install the Espalier that wrote it ({str(about.get('espalier'))[:20]}), or write it again"
            )
        if said != _digest({"kind": kind, "format": form, **about}):
            raise BadModel(f"{where}: {NAME} was changed after it was written; {REMEDY}")
        try:
            files = {_safe(name, where): Entry(**entry) for name, entry in about.pop("files").items()}
            return cls(files=files, **about)
        except TypeError as error:
            raise BadModel(f"{where}: {NAME} is not whole ({error}); {REMEDY}") from None

    @property
    def digest(self) -> str:
        """64 hex digits over all of it, and so over every byte of the bundle."""
        return str(json.loads(self.to_bytes())["digest"])


def entry_of(path: Path) -> Entry:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    return Entry(digest.hexdigest(), size)


def _safe(name: str, where: str) -> str:
    """A path that stays inside the bundle, whatever system it is unpacked on."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or str(path) != name or ".." in path.parts or "\\" in name or ":" in name:
        raise BadModel(f"{where} is refused: its {NAME} names {name[:80]!r}, which is outside of the bundle")
    return name


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
