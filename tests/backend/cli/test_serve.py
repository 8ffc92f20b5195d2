"""`espalier serve` as it is started: it says where to connect, and nothing is left when it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from redis import Redis

from espalier.jobs import valkey


@pytest.mark.parametrize("is_watched", [False, True])
def test_serve_answers_and_leaves_nothing_behind(tmp_path: Path, is_watched: bool) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    data = tmp_path / "data"
    environment = {**os.environ, "ESPALIER_DATA_DIR": str(data), "PORT": port, "ESPALIER_ENCODER": "classic"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "espalier.cli", "serve"],
            env=environment,
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    said = ""
    try:
        deadline = time.monotonic() + 60
        while "is ready" not in said and time.monotonic() < deadline:
            time.sleep(0.1)
            said = (tmp_path / "log").read_text()
        assert f"Connect   http://127.0.0.1:{port}" in said
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok
        watcher = Redis.from_url(valkey.embedded_url(data)) if is_watched else None
        if watcher is not None:
            watcher.ping()
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(60)
    assert status == 0
    assert not valkey.is_running(data)
    if watcher is not None:
        watcher.close()
    chatter = [line for line in said.splitlines() if "alembic" in line or "rq.worker" in line or "gunicorn" in line]
    assert not chatter
