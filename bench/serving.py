"""A server of ours in a process of its own, for as long as it is measured."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

_TRIES, _PAUSE_S = 300, 0.1


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(
    arguments: Sequence[object], port: int, directory: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """`espalier <arguments>`, from its first answer on `port` until it is no longer needed. Its log is kept."""
    program = [sys.executable, "-m", "espalier.cli", *map(str, arguments)]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(program, env=environment, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(_TRIES):
                try:
                    requests.get(f"{url}/health", timeout=1)
                    break
                except requests.RequestException:
                    time.sleep(_PAUSE_S)
            yield url
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def backend(directory: Path, **environment: str) -> Iterator[str]:
    """The whole backend, with `directory / "data"` for its own and media from below `directory`.

    Where what is done with it fails, the end of its log is printed.
    """
    port = free_port()
    told = {
        **os.environ,
        "PORT": str(port),
        "ESPALIER_DATA_DIR": str(directory / "data"),
        "ESPALIER_MEDIA_ROOTS": str(directory),
        "ESPALIER_LOG_LEVEL": "WARNING",
        **environment,
    }
    with serving(["serve"], port, directory, told) as url:
        try:
            yield url
        except BaseException:
            print((directory / "log").read_text()[-3000:], file=sys.stderr)
            raise
