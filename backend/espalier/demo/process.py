"""A server of ours in a process of its own: started, waited for, and ended with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import requests

from ..errors import LabelStudioDown

_GRACE_S = 25.0


class Process:
    """`name` for people; what it prints is appended to `log`. Ctrl+C in the terminal does not reach it."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 (our own commands)
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, answers: Callable[[], bool], within_s: float) -> None:
        """Raises LabelStudioDown with the end of its log where it ends, or does not answer in time."""
        deadline = time.monotonic() + within_s
        while self.is_running and time.monotonic() < deadline:
            if answers():
                return
            time.sleep(0.2)
        why = f"did not answer within {within_s:.0f} s" if self.is_running else "ended"
        self.stop()
        raise LabelStudioDown(f"{self.name} {why}; the end of {self.log}:\n{self.last_words()}")

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-1500:].strip()

    def stop(self) -> None:
        """SIGTERM to its group, and SIGKILL where that was not enough."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.is_running:
                return
            os.killpg(self._process.pid, number)
            try:
                self._process.wait(timeout=_GRACE_S)
            except subprocess.TimeoutExpired:
                continue


def is_up(url: str) -> bool:
    """Whether /health there says that it is up."""
    try:
        return bool(requests.get(f"{url}/health", timeout=5).json()["status"] == "UP")
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return False
