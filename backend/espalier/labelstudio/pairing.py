"""The Label Studio that this backend is paired with: its address, a token that it made, and a secret for its tickets.

Label Studio's side offers it in one click (see espalier_labelstudio), so that nobody copies tokens. It lies in the data
directory, which its owner alone may read.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from espalier_ontology.tickets import LEAST_SECRET

from ..errors import BadRequest

_FILE = "label-studio.json"


@dataclass(frozen=True)
class Pairing:
    """token may be empty: then who wants to write needs another one. by: the person who paired the two."""

    url: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    by: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(f"url must be Label Studio's address, as in http://localhost:8080, got {self.url[:200]!r}")
        if len(self.secret) < LEAST_SECRET:
            raise BadRequest(f"secret must have at least {LEAST_SECRET} letters; the app in Label Studio makes one")


def read(data_dir: Path) -> Pairing | None:
    """None where there is none, or where what is there cannot be read: then it is done again with one click."""
    try:
        return Pairing(**json.loads((data_dir / _FILE).read_text()))
    except (OSError, ValueError, TypeError, BadRequest):
        return None


def write(data_dir: Path, pairing: Pairing) -> None:
    """Whole or not at all; another pairing is replaced."""
    data_dir.mkdir(parents=True, exist_ok=True)
    scratch = data_dir / f"{_FILE}.{os.getpid()}"
    scratch.touch(mode=0o600)
    scratch.write_text(json.dumps(asdict(pairing)))
    scratch.replace(data_dir / _FILE)


def forget(data_dir: Path) -> None:
    (data_dir / _FILE).unlink(missing_ok=True)
