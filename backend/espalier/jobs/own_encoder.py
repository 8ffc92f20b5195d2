"""An own encoder: the fine-tuned network that a version goes by, where it does not go by that of the settings.

A version's record names its directory relative to the version's own. The version that was fine-tuned has it inside;
those that were trained on it since point there.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..learning.parts import Part
from ..store.rows import ModelVersion

MEMBERS = "ensemble.json"
"""Where an ensemble says of what it is."""
PARTS = "parts.json"
"""Beside the network: which media it has learned from, and which it has not."""


@dataclass(frozen=True)
class OwnEncoder:
    """plugin: the name of the encoder that opens it, and of the tuner that wrote it."""

    plugin: str
    directory: Path

    @classmethod
    def of(cls, version: ModelVersion | None) -> OwnEncoder | None:
        """None where the version goes by the encoder of the settings."""
        if version is None or not version.directory or not version.encoder.get("directory"):
            return None
        home = Path(version.directory).parent
        return cls(str(version.encoder["plugin"]), Path(os.path.normpath(home / version.encoder["directory"])))

    @property
    def home(self) -> Path:
        """The directory of the version that it was fine-tuned as."""
        return self.directory.parent

    def members(self) -> list[OwnEncoder | str] | None:
        """Of an ensemble, its networks; for one of the settings, how those name it. None where it is no ensemble."""
        path = self.directory / MEMBERS
        if not path.exists():
            return None
        found: list[OwnEncoder | str] = []
        for one in json.loads(path.read_text()):
            where = Path(os.path.normpath(self.directory / one.get("directory", "")))
            found.append(OwnEncoder(one["plugin"], where) if one["plugin"] else str(one["named"]))
        return found

    def homes(self) -> set[str]:
        """The names of all versions whose files it needs."""
        inner = [member.homes() for member in self.members() or [] if isinstance(member, OwnEncoder)]
        return {self.home.name}.union(*inner)

    def to_json(self, version_directory: Path) -> dict[str, Any]:
        """What a version's record says of it, beside name, dim and digest."""
        return {"plugin": self.plugin, "directory": os.path.relpath(self.directory, version_directory)}

    def parts(self) -> dict[str, Part]:
        """By media digest, the part that it played in the fine-tuning."""
        found: dict[str, Part] = json.loads((self.home / PARTS).read_text())
        return found

    @staticmethod
    def write_parts(home: Path, parts: dict[str, Part]) -> None:
        draft = home / f".{PARTS}"
        draft.write_text(json.dumps(parts))
        draft.rename(home / PARTS)
