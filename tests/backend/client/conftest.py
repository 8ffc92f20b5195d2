"""A live server with its workers, over a project of real digits: what a program talks to."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from werkzeug.serving import make_server

from espalier.client import Espalier
from espalier.demo.pictures import IMAGE_CONFIG, Digit, write_digits
from espalier.demo.results import choices
from espalier.jobs import valkey
from espalier.jobs.queue import Queues
from espalier.settings import Secret, Settings
from espalier.store.records import Records
from espalier.web.app import create_app

KEY = "1.1795197302"
DIGITS, LABELED = 40, 28
_WORK = """
import sys
from pathlib import Path
from espalier.jobs import house, worker
from espalier.settings import Secret, Settings
settings = Settings(data_dir=Path(sys.argv[1]), encoder="classic", media_roots=(Path(sys.argv[2]),), debounce_s=0.05)
house.current(settings)
worker.work(settings, ["prediction", "training", "search"])
"""


@dataclass
class Live:
    url: str
    token: str
    records: Records
    digits: list[Digit]

    def client(self, token: str | None = None) -> Espalier:
        return Espalier(self.url, self.token if token is None else token, patience_s=60)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Trained once; a password is set, so that a token is needed."""
    root = tmp_path_factory.mktemp("live")
    data, pictures = root / "d", root / "pictures"
    data.mkdir()
    digits = write_digits(pictures, DIGITS)
    settings = Settings(
        data_dir=data,
        encoder="classic",
        media_roots=(pictures,),
        debounce_s=0.05,
        basic_auth_user="ann",
        basic_auth_pass=Secret("s3cret"),
    )
    records = Records.open(settings.database)
    records.put_project(KEY, title="Digits", label_config=IMAGE_CONFIG)
    tasks = [{"id": id, "data": {"image": str(digit.path)}} for id, digit in enumerate(digits, 1)]
    records.mirror_tasks(KEY, tasks)
    answers = [
        {"id": id, "task": id, "result": choices("image", digit.answers)}
        for id, digit in enumerate(digits[:LABELED], 1)
    ]
    records.mirror_annotations(KEY, answers)
    # Started by another process, as in production: it is nobody's child here.
    start = "import sys, pathlib; from espalier.jobs import valkey; valkey.embedded_url(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", start, str(data)], check=True)
    queues = Queues.open(settings)
    server = make_server("127.0.0.1", 0, create_app(settings, records, queues), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with (root / "worker.log").open("wb") as log:
        worker = subprocess.Popen([sys.executable, "-c", _WORK, str(data), str(pictures)], stderr=log)
    try:
        yield Live(f"http://127.0.0.1:{server.port}", records.create_token("all", "manager")[1], records, digits)
    finally:
        worker.terminate()
        worker.wait()
        server.shutdown()
        thread.join()
        server.server_close()
        queues.redis.close()
        records.close()
        valkey.stop(data)


@pytest.fixture(scope="session")
def trained(live: Live) -> Live:
    with live.client() as espalier:
        job = espalier.wait(espalier.project(1).train())
        assert job.state == "done", job.message
    return live


@pytest.fixture
def espalier(trained: Live) -> Iterator[Espalier]:
    with trained.client() as client:
        yield client


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", logger="werkzeug")
