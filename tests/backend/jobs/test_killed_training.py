"""A training worker killed with -9 in the middle: what served goes on, and nothing half-written is left or listed."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from espalier.demo.pictures import write_digits
from espalier.demo.results import choices
from espalier.jobs import training
from espalier.jobs.house import House
from espalier.jobs.progress import Progress
from espalier.jobs.queue import Queues
from espalier.learning.model import Model
from espalier.settings import Settings

KEY = "1.1795197302"
PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""
StartWorker = Callable[..., "Popen[bytes]"]

STEPS = """
import os, time
from pathlib import Path
from espalier.jobs import promotion, steps
from espalier.learning import model, training
from espalier.store.records import Records

train = steps.train

def stop_in(place, name):
    real = getattr(place, name)
    def stopping(*arguments, **options):
        wanted = Path("stop").read_text() if Path("stop").exists() else ""
        if wanted == name:
            Path("stopped").touch()
            time.sleep(60)
        if wanted == f"die in {name}":
            os.kill(os.getpid(), 9)
        return real(*arguments, **options)
    setattr(place, name, stopping)

stop_in(training, "fit_head")
stop_in(model, "_digests")
stop_in(Records, "add_version")
stop_in(promotion, "judge")
stop_in(Records, "serve")
"""


@dataclass
class Site:
    """A project whose first version serves, with annotations that it has not seen; and where its worker is to stop."""

    house: House
    directory: Path

    def stop_in(self, name: str) -> None:
        (self.directory / "stop").write_text(name)

    def wait_until_stopped(self) -> None:
        wait_until(lambda: (self.directory / "stopped").exists())

    def let_go(self) -> None:
        (self.directory / "stop").unlink()

    @property
    def served(self) -> str | None:
        return self.house.project(KEY).served

    @property
    def versions(self) -> dict[str, str]:
        return {version.name: version.state for version in self.house.records.versions(KEY)}

    def assert_whole(self) -> None:
        """Every version that is listed can be loaded, and nothing else lies beside it."""
        project = self.house.project(KEY)
        for version in self.house.records.versions(KEY):
            Model.load(Path(version.directory))
        versions = self.house.version_directory(project, "any").parent
        assert {path.name for path in versions.iterdir()} == set(self.versions)
        assert list(versions.rglob(".*")) == []


def wait_until(condition: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def site(data_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    settings = replace(data_settings, encoder="classic", media_roots=(tmp_path,))
    for name, value in {
        "ESPALIER_DATA_DIR": settings.data_dir,
        "ESPALIER_ENCODER": "classic",
        "ESPALIER_MEDIA_ROOTS": tmp_path,
        "ESPALIER_DEBOUNCE_S": settings.debounce_s,
    }.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "probe_steps.py").write_text(STEPS)
    house = House(settings)
    records = house.records
    digits = write_digits(tmp_path / "digits", 40)
    records.put_project(KEY, label_config=PLAIN)
    records.mirror_tasks(KEY, [{"id": id, "data": {"image": str(one.path)}} for id, one in enumerate(digits, 1)])
    said: list[dict[str, Any]] = [
        {"id": id, "task": id, "result": choices("image", {"loop": one.answers["loop"]})}
        for id, one in enumerate(digits, 1)
    ]
    records.mirror_annotations(KEY, said[:30])
    training.train(house, KEY, Progress())
    records.mirror_annotations(KEY, said[30:])
    yield Site(house, tmp_path)
    records.close()
    house.embeddings.close()


@pytest.mark.parametrize(
    ("where", "listed"),
    [
        ("fit_head", ["espalier-v1"]),
        ("_digests", ["espalier-v1"]),
        ("add_version", ["espalier-v1"]),
        ("judge", ["espalier-v2", "espalier-v1"]),
        ("serve", ["espalier-v2", "espalier-v1"]),
    ],
    ids=["while fitting", "while writing its files", "before it is listed", "before it is judged", "before it serves"],
)
def test_a_killed_training_is_taken_up_again(
    site: Site, queues: Queues, start_worker: StartWorker, where: str, listed: list[str]
) -> None:
    site.stop_in(where)
    job = queues.request_training(KEY, delay=False)
    killed = start_worker("training")
    site.wait_until_stopped()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert site.served == "espalier-v1"
    assert list(site.versions) == listed, "what is listed has all its files"
    for version in site.house.records.versions(KEY):
        Model.load(Path(version.directory))

    site.let_go()
    assert start_worker("training", burst=True).wait(timeout=30) == 0
    status = queues.status(job)
    assert status.state == "done", status
    newest = next(iter(site.versions))
    assert site.served == newest == f"espalier-v{len(listed) + 1}"
    assert site.versions[newest] == "promoted"
    site.assert_whole()


def test_a_training_that_kills_every_worker_is_reported_and_what_served_goes_on(
    site: Site, queues: Queues, start_worker: StartWorker
) -> None:
    before = {path: path.read_bytes() for path in site.house.settings.data_dir.glob("versions/**/*") if path.is_file()}
    site.stop_in("die in _digests")
    job = queues.request_training(KEY, delay=False)
    for _ in range(3):
        assert start_worker("training", burst=True).wait(timeout=30) == -signal.SIGKILL
    assert start_worker("training", burst=True).wait(timeout=30) == 0
    status = queues.status(job)
    assert status.state == "failed"
    assert "given up: the worker died 3 times" in status.message
    assert (site.served, list(site.versions)) == ("espalier-v1", ["espalier-v1"])
    assert {path: path.read_bytes() for path in before} == before, "byte for byte"

    site.let_go()
    again = queues.request_training(KEY, delay=False)
    assert start_worker("training", burst=True).wait(timeout=30) == 0
    assert queues.status(again).state == "done"
    assert site.served == "espalier-v2"
    site.assert_whole()
