"""The server itself, as `espalier serve` starts it: a process that answers, hides secrets, and ends when told."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests

from espalier.jobs.queue import Queues
from espalier.settings import Settings
from espalier.store.records import Records
from espalier.store.rows import ModelVersion

KEY = "1.1795197302"
PROJECT = {"id": 1, "created_at": "2026-11-20T17:55:02.886124Z", "title": "T", "label_config": "<View/>"}
PROGRAM = "import os; from espalier.settings import Settings; from espalier.web.server import serve; "
PROGRAM += "serve(Settings.read(os.environ))"


@pytest.fixture
def server(data_dir: Path, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = f"sqlite:///{tmp_path / 'records.sqlite'}"
    records = Records.open(database)
    moment = datetime.now(timezone.utc)
    records.add_version(ModelVersion(KEY, "v1", "promoted", "", {}, "", "", {}, moment))
    records.serve(KEY, "v1")
    records.close()
    environ = {
        "PORT": str(port),
        "ESPALIER_DATA_DIR": str(data_dir),
        "ESPALIER_DATABASE_URL": database,
        "ESPALIER_WEBHOOK_SECRET": "s3cret",
        "ESPALIER_PREDICT_DEADLINE_S": "4",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            try:
                requests.get(f"{url}/health", timeout=1)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield url, process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_server_answers_while_predictions_are_waited_for_and_ends_when_told(
    server: tuple[str, subprocess.Popen[str]],
) -> None:
    url, process = server
    event = {"action": "PROJECT_UPDATED", "project": PROJECT}
    assert requests.post(f"{url}/webhook", json=event, timeout=5).status_code == 401
    assert requests.post(f"{url}/webhook?token=s3cret", json=event, timeout=5).status_code == 200

    body = {"project": KEY, "tasks": [{"id": 1, "data": {}}]}
    waiting = [
        threading.Thread(target=requests.post, args=(f"{url}/predict",), kwargs={"json": body}) for _ in range(30)
    ]
    for thread in waiting:
        thread.start()
    patience = time.monotonic() + 3.0
    while (left := sum(thread.is_alive() for thread in waiting)) > 8 and time.monotonic() < patience:
        time.sleep(0.05)
    assert left == 8, "eight wait for a worker that there is not, the others were answered"
    began = time.monotonic()
    assert requests.get(f"{url}/health", timeout=5).json()["status"] == "UP"
    assert time.monotonic() - began < 1.0
    for thread in waiting:
        thread.join()

    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "s3cret" not in said
    assert '"POST /webhook?token=*** HTTP/1.1" 200' in said
    assert "Traceback" not in said


def test_who_watches_a_job_is_let_go_when_the_server_ends(
    server: tuple[str, subprocess.Popen[str]], data_dir: Path
) -> None:
    url, process = server
    job = Queues.open(Settings(data_dir=data_dir)).request_connect(KEY)
    with requests.get(f"{url}/api/v1/jobs/{job}/events", stream=True, timeout=30) as watched:
        lines = watched.iter_lines(chunk_size=1)
        assert next(line for line in lines if line.startswith(b"event:")) == b"event: progress"
        process.send_signal(signal.SIGTERM)
        for _ in lines:
            pass  # to its end: a stream that is cut off raises
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
