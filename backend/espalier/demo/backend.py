"""`espalier serve` as a user starts it, in a process of its own, with settings of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import yaml

from ..settings import Settings
from .process import Process, is_up

_START_S = 120.0


class Backend:
    """`home` gets espalier.yaml with the given settings, the log, and what is kept. Nothing is taken from the
    environment's settings, which may be those of somebody's real backend."""

    def __init__(self, home: Path, port: int, chosen: Mapping[str, object]) -> None:
        self.home, self.url = home, f"http://127.0.0.1:{port}"
        self.log = home / "espalier.log"
        self.config = home / "espalier.yaml"
        home.mkdir(parents=True, exist_ok=True)
        self.config.touch(mode=0o600)  # it holds a token
        written = {"port": port, "data_dir": str(home / "espalier"), **chosen}
        self.config.write_text(yaml.safe_dump(written, sort_keys=False))
        self._process: Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For `espalier serve`, and for any other command on the same data."""
        of_settings = {name for setting in fields(Settings) for name in setting.metadata["names"]}
        kept = {name: value for name, value in os.environ.items() if name not in of_settings}
        return {**kept, "ESPALIER_CONFIG": str(self.config)}

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    def start(self) -> Backend:
        """Returns once it answers. Raises LabelStudioDown with the end of its log where it does not."""
        command = [sys.executable, "-m", "espalier.cli", "serve"]
        self._process = Process("Espalier", command, self.environment, self.log)
        self._process.wait_until(lambda: is_up(self.url), _START_S)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
