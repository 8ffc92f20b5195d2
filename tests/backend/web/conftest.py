"""A backend over a real database and a real queue, with no worker behind it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from espalier.jobs import valkey
from espalier.jobs.queue import Queues
from espalier.settings import Secret, Settings
from espalier.store.records import Records
from espalier.web.app import create_app


@dataclass
class Backend:
    settings: Settings
    records: Records
    queues: Queues
    client: FlaskClient

    def steps(self) -> list[tuple[str, list[Any]]]:
        """The jobs that wait, as (step, arguments), and then no longer."""
        found: list[tuple[str, list[Any]]] = []
        for queue in (self.queues.training, self.queues.prediction):
            found += [(str(job.func_name).rpartition(".")[2], list(job.args)) for job in queue.get_jobs()]
            queue.empty()
        return found


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With an embedded Valkey that lives for all tests of the session."""
    directory = tmp_path_factory.mktemp("v")
    # Started by another process, as in production: it is nobody's child here.
    start = "import sys, pathlib; from espalier.jobs import valkey; valkey.embedded_url(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", start, str(directory)], check=True)
    yield directory
    valkey.stop(directory)


@pytest.fixture
def backend(data_dir: Path, tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Call it with settings that differ; each test has an empty database and an empty queue."""
    opened: list[Backend] = []
    numbers = itertools.count()

    def build(**changes: Any) -> Backend:
        secrets = {
            name: Secret(value)
            for name, value in changes.items()
            if name in {"label_studio_api_key", "basic_auth_pass", "webhook_secret"}
        }
        database = Secret(f"sqlite:///{tmp_path / f'records{next(numbers)}.sqlite'}")
        options = {"predict_deadline_s": 0.05, "debounce_s": 0.1, "database_url": database, **changes, **secrets}
        settings = Settings(data_dir=data_dir, **options)
        records, queues = Records.open(settings.database), Queues.open(settings)
        queues.redis.flushall()
        app = create_app(settings, records, queues)
        app.testing = True
        # As in production: an error is answered, not raised into the caller.
        app.config["PROPAGATE_EXCEPTIONS"] = False
        opened.append(Backend(settings, records, queues, app.test_client()))
        return opened[-1]

    yield build
    for one in opened:
        one.records.close()
        one.queues.redis.close()
