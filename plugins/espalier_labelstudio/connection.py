"""Where Espalier is, and the secret that signs tickets for it: from the environment, or from the page that connects."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

DEFAULT_URL = "http://127.0.0.1:9090"
_FILE = "espalier.json"


@dataclass(frozen=True)
class Connection:
    """user and password: where Espalier wants basic auth; they are needed to pair the two, and by Label Studio."""

    url: str = DEFAULT_URL
    secret: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_paired(self) -> bool:
        return bool(self.secret)

    def with_secret(self) -> Connection:
        return self if self.secret else replace(self, secret=secrets.token_urlsafe(32))


def load(directory: Path) -> Connection:
    """directory: Label Studio's data directory. What the environment says wins."""
    try:
        kept = json.loads((directory / _FILE).read_text())
        found = Connection(**{name: str(kept[name]) for name in ("url", "secret", "user", "password")})
    except (OSError, ValueError, KeyError, TypeError):
        found = Connection()
    named = {name: os.environ.get(f"ESPALIER_{name.upper()}", "") for name in ("url", "secret", "user", "password")}
    return replace(found, **{name: value for name, value in named.items() if value})


def save(directory: Path, connection: Connection) -> None:
    """Whole or not at all; for its owner's eyes alone."""
    scratch = directory / f"{_FILE}.{os.getpid()}"
    scratch.touch(mode=0o600)
    scratch.write_text(json.dumps(asdict(connection)))
    scratch.replace(directory / _FILE)
