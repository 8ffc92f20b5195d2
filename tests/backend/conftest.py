"""Real servers for the tests (a scratch PostgreSQL, the embedded Valkey), and models whose scores a test gives."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import ArrayLike

from espalier.contract import EncoderSpec
from espalier.jobs import valkey
from espalier.jobs.queue import Queues
from espalier.learning.calibration import Calibration
from espalier.learning.cutoffs import answered
from espalier.learning.head import Evidence, Head
from espalier.learning.linear import LinearClassifier
from espalier.learning.model import Model
from espalier.learning.questions import Key
from espalier.learning.rows import Rows
from espalier.settings import Settings
from espalier.store.records import Records
from espalier_ontology.tree import Ontology

StartWorker = Callable[..., "subprocess.Popen[bytes]"]
JudgedModel = Callable[..., Model]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The socket directory of a scratch cluster, which belongs to an unprivileged user, and ends with the tests."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    path = os.pathsep.join([*map(str, reversed(binaries)), os.environ.get("PATH", "")])
    initdb, server = shutil.which("initdb", path=path), shutil.which("postgres", path=path)
    if not initdb or not server:
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = next(entry for entry in pwd.getpwall() if entry.pw_name in {"postgres", "nobody"}).pw_name
    home = Path(tempfile.mkdtemp(prefix="espalier-postgres-", dir="/tmp"))
    if user:
        shutil.chown(home, user)
    try:
        subprocess.run(
            [initdb, "-D", home / "data", "-U", "espalier", "-A", "trust", "-N"],
            check=True, user=user, cwd="/", stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with (home / "log").open("wb") as log:
            running = subprocess.Popen(
                [server, "-D", home / "data", "-k", home, "-c", "listen_addresses=", "-c", "fsync=off"],
                user=user, cwd="/", stdout=log, stderr=log,
            )  # fmt: skip
        try:
            _wait_for_postgres(home, running)
            yield str(home)
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(timeout=30)
    finally:
        shutil.rmtree(home)


def _wait_for_postgres(home: Path, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(home), user="espalier", dbname="postgres").close()
        except psycopg.OperationalError:
            if running.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the scratch PostgreSQL did not start:\n{(home / 'log').read_text()}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def new_postgres(postgres: str) -> str:
    """The URL of an empty database: a schema of its own, for a whole one is a thousand files to write and to delete."""
    name = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(host=postgres, user="espalier", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    return f"postgresql://espalier@/postgres?host={postgres}&options=-csearch_path%3D{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("new_postgres"))
    return f"sqlite:///{tmp_path / 'records.sqlite'}"


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    opened = Records.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def tiny_tuner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installs `tiny_tuner.py` as the tuner and encoder "tiny", here and in processes that are started from here.

    Returns the directory that it is installed in.
    """
    site = tmp_path / "site-packages"
    (site / "tiny_tuner-0.1.dist-info").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("tiny_tuner.py"), site)
    (site / "tiny_tuner-0.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tiny-tuner\nVersion: 0.1\n"
    )
    (site / "tiny_tuner-0.1.dist-info" / "entry_points.txt").write_text(
        "[espalier.encoders]\ntiny = tiny_tuner:TinyEncoder\n[espalier.tuners]\ntiny = tiny_tuner:TinyTuner\n"
    )
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
    return site


@pytest.fixture
def data_settings(tmp_path: Path) -> Iterator[Settings]:
    """Settings of an own data directory; its Valkey, if one was started, is stopped."""
    settings = Settings(data_dir=tmp_path / "data", debounce_s=0.2)
    yield settings
    valkey.stop(settings.data_dir)


@pytest.fixture
def queues(data_settings: Settings) -> Iterator[Queues]:
    """On a real Valkey. The steps are those of a module `probe_steps`, which `start_worker` finds in `tmp_path`."""
    opened = Queues.open(data_settings, steps="probe_steps")
    yield opened
    opened.redis.close()


@pytest.fixture
def start_worker(data_settings: Settings, tmp_path: Path) -> Iterator[StartWorker]:
    """start_worker("training", ..., burst=False): a real worker process; what is left of them is killed."""
    started: list[subprocess.Popen[bytes]] = []
    program = (
        "import sys; from pathlib import Path;"
        "from espalier.settings import Settings; from espalier.jobs import worker;"
        f"settings = Settings(data_dir=Path({str(data_settings.data_dir)!r}), debounce_s={data_settings.debounce_s});"
        "worker.work(settings, sys.argv[2:], burst=sys.argv[1] == 'burst', steps='probe_steps')"
    )

    def start(*roles: str, burst: bool = False) -> subprocess.Popen[bytes]:
        with (tmp_path / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-c", program, "burst" if burst else "stay", *roles],
                env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
                cwd=tmp_path,
                stderr=log,
            )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


@pytest.fixture(scope="session")
def judged_model() -> JudgedModel:
    """judged_model(ontology, {key: {"scores": ..., "targets": ...}}, parts=..., groups=..., media=..., frames=...).

    A question takes mask (all said), exclusive (as its classification), cutoffs (0.5), options (all siblings), raw and
    fitted (the scores), answered (by the cutoffs), counted (the mask), background and steps, too. parts (n,): 0 train,
    1 validation, 2 test; all training by default. Every row is a media and a group of its own.
    """

    def build(
        ontology: Ontology,
        questions: Mapping[Key, Mapping[str, Any]],
        *,
        parts: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        media: ArrayLike | None = None,
        frames: ArrayLike | None = None,
    ) -> Model:
        n = len(next(iter(questions.values()))["scores"]) if questions else 0
        part = np.zeros(n, np.int8) if parts is None else np.asarray(parts, np.int8)
        rows = Rows(
            np.array([f"m{number}" for number in range(n)]) if media is None else np.asarray(media, np.str_),
            np.zeros(n, np.int64) if frames is None else np.asarray(frames, np.int64),
            np.arange(n) if groups is None else np.asarray(groups, np.int64),
            np.where(part == 2, -1, np.where(part == 1, 5, np.arange(n) % 5)).astype(np.int64),
            part,
        )
        heads = [_head(ontology, key, question) for key, question in questions.items()]
        spec = EncoderSpec("none", 1, (1, 1), "0" * 16)
        return Model(ontology.fingerprint, "data", spec, 0, {head.key: head for head in heads}, rows)

    return build


def _head(ontology: Ontology, key: Key, question: Mapping[str, Any]) -> Head:
    classification = ontology.classification(key[0])
    siblings = next(each.options for each in classification.siblings() if each.parent == key[1])
    options = tuple(question.get("options", siblings))
    scores = np.asarray(question["scores"], np.float32)
    exclusive = bool(question.get("exclusive", classification.exclusive))
    cutoffs = np.broadcast_to(np.asarray(question.get("cutoffs", 0.5), np.float64), (len(options),)).copy()
    targets = np.asarray(question.get("targets", np.zeros(scores.shape)), np.float32)
    mask = np.asarray(question.get("mask", np.ones(scores.shape)), np.bool_)
    evidence = Evidence(
        targets,
        mask,
        np.asarray(question.get("raw", scores), np.float32),
        scores,
        np.asarray(question.get("fitted", scores), np.float32),
        np.asarray(question.get("answered", answered(scores, cutoffs, exclusive=exclusive)), np.bool_),
        np.asarray(question.get("counted", mask), np.bool_),
    )
    held = dict(zip(options, (mask & (targets > 0.5)).sum(axis=0).tolist(), strict=True))
    return Head(
        key[0],
        key[1],
        options,
        exclusive,
        "linear",
        LinearClassifier(),
        Calibration.identity(len(options), exclusive=exclusive),
        cutoffs,
        {path: held.get(path, 0) for path in siblings},
        evidence=evidence,
        steps=question.get("steps"),
        background=bool(question.get("background", False)),
    )
