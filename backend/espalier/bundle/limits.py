"""How much a bundle's server takes on, and from whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadSetting
from ..settings import Secret


@dataclass(frozen=True)
class Limits:
    """What is beyond is refused in words. root: below it requests may name files of this machine; None means none may.

    user, password: basic auth, which every address but this machine's own needs.
    """

    host: str = "127.0.0.1"
    port: int = 9091
    root: Path | None = None
    max_mb: int = 512
    """Of one request."""
    max_files: int = 1000
    max_megapixels: int = 100
    max_seconds: float = 300.0
    user: str = ""
    password: Secret = field(default=Secret(""))

    def __post_init__(self) -> None:
        if bool(self.user) != bool(self.password.reveal()):
            raise BadSetting("BASIC_AUTH_USER and BASIC_AUTH_PASS go together: set both, or neither")
        loopback = self.host in {"localhost", "::1"} or self.host.startswith("127.")
        if not loopback and not self.user:
            raise BadSetting(
                f"--host {self.host} opens the server to the network: set BASIC_AUTH_USER and BASIC_AUTH_PASS, "
                f"or listen on 127.0.0.1"
            )
        if self.root is not None and not self.root.is_dir():
            raise BadSetting(f"--root {self.root} is not a directory")
        for name in ("max_mb", "max_files", "max_megapixels", "max_seconds"):
            if getattr(self, name) <= 0:
                raise BadSetting(f"--{name.replace('_', '-')} must be above 0, got {getattr(self, name)}")
