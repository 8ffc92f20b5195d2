"""A tuning worker killed with -9 in the middle: what served goes on, and the fine-tuning goes on where it was."""

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
from espalier.jobs import training, tuning
from espalier.jobs.house import House
from espalier.jobs.parameters import RunParameters
from espalier.jobs.predicting import Predictor
from espalier.jobs.progress import Progress
from espalier.jobs.queue import Queues
from espalier.learning.model import Model
from espalier.settings import Settings
from espalier.store.rows import ModelVersion
from espalier.tuning_parameters import TuningParameters

KEY = "1.1795197302"
PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""
StartWorker = Callable[..., "Popen[bytes]"]
TUNING = TuningParameters(model="tiny", epochs=8)

STEPS = """
import os, time
from pathlib import Path
from espalier.jobs import promotion, steps
from espalier.jobs.tuning_reports import TuningReports
from espalier.learning import model

train, tune = steps.train, steps.tune
reported = TuningReports.__call__

def stop(where):
    if Path("stop").exists() and Path("stop").read_text() == where:
        Path("stopped").touch()
        time.sleep(60)

def report(self, report):
    if report.epoch == 4:
        stop("before epoch 4 is told")
    goes_on = reported(self, report)
    with Path("epochs").open("a") as epochs:
        epochs.write(f"{report.epoch:.0f}\\n")
    if Path("slow").exists():
        time.sleep(0.3)
    return goes_on

TuningReports.__call__ = report

def stop_in(place, name):
    real = getattr(place, name)
    def stopping(*arguments, **options):
        stop(name)
        return real(*arguments, **options)
    setattr(place, name, stopping)

stop_in(model, "_digests")
stop_in(promotion, "judge")
"""


@dataclass
class Site:
    house: House
    directory: Path
    tasks: list[dict[str, Any]]
    said: list[dict[str, Any]]

    def stop_in(self, name: str) -> None:
        (self.directory / "stop").write_text(name)

    def wait_until_stopped(self) -> None:
        wait_until(lambda: (self.directory / "stopped").exists())

    def version(self, name: str) -> ModelVersion:
        found = self.house.records.version(KEY, name)
        assert found is not None
        return found

    def predictions(self) -> list[Any]:
        project = self.house.project(KEY)
        predictor = Predictor(self.house, project, self.house.version(project), RunParameters())
        return [one.row.result for one in predictor.predict(self.tasks[-5:], Progress())]

    @property
    def epochs(self) -> list[str]:
        return (self.directory / "epochs").read_text().split()


def wait_until(condition: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def site(data_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_tuner: Path) -> Iterator[Site]:
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
    digits = write_digits(tmp_path / "digits", 80)
    house.records.put_project(KEY, id=1, label_config=PLAIN)
    tasks = [{"id": id, "data": {"image": str(one.path)}, "annotations": []} for id, one in enumerate(digits, 1)]
    house.records.mirror_tasks(KEY, tasks)
    said: list[dict[str, Any]] = [
        {"id": id, "task": id, "result": choices("image", {"loop": one.answers["loop"]})}
        for id, one in enumerate(digits, 1)
    ]
    house.records.mirror_annotations(KEY, said[:70])
    training.train(house, KEY, Progress())
    yield Site(house, tmp_path, tasks, said)
    house.records.close()
    house.embeddings.close()


@pytest.mark.parametrize(
    ("where", "state"),
    [("before epoch 4 is told", "training"), ("_digests", "training"), ("judge", "candidate")],
    ids=["while it learns", "while its files are written", "before it is judged"],
)
def test_a_killed_fine_tuning_goes_on_where_it_was_to_the_same_result(
    site: Site, queues: Queues, start_worker: StartWorker, where: str, state: str
) -> None:
    unbroken = tuning.tune(site.house, KEY, TUNING, Progress())
    before = site.predictions()
    site.stop_in(where)
    name = tuning.plan(site.house, KEY, TUNING).name
    job = queues.request_tuning(KEY, name)
    killed = start_worker("tuning")
    site.wait_until_stopped()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert site.version(name).state == state
    assert site.predictions() == before, "what served goes on"
    site.house.records.mirror_annotations(KEY, site.said[70:])

    (site.directory / "stop").unlink()
    assert start_worker("tuning", burst=True).wait(timeout=60) == 0
    status = queues.status(job)
    assert status.state == "done", status
    version = site.version(name)
    assert version.state in ("candidate", "promoted")
    assert version.gate
    assert site.epochs == [str(epoch) for epoch in range(1, 9) if epoch != 4 or where != "before epoch 4 is told"]
    model, whole = Model.load(Path(version.directory)), Model.load(Path(unbroken.directory))
    assert model.encoder.digest == whole.encoder.digest
    assert model.metrics() == whole.metrics()
    assert not (Path(version.directory).parent / "tuning").exists()


def test_answers_go_on_being_learned_while_a_network_is_fine_tuned(
    site: Site, queues: Queues, start_worker: StartWorker
) -> None:
    (site.directory / "slow").touch()
    name = tuning.plan(site.house, KEY, TuningParameters(model="tiny", epochs=60)).name
    job = queues.request_tuning(KEY, name)
    start_worker("tuning")
    start_worker("training")
    wait_until(lambda: (site.directory / "epochs").exists())
    site.house.records.mirror_annotations(KEY, site.said[70:])
    trained = queues.request_training(KEY, delay=False)
    wait_until(lambda: queues.status(trained).state == "done")
    assert queues.status(job).state == "running"
    assert site.version(name).state == "training"
    assert site.house.project(KEY).served == "espalier-v3"
    wait_until(lambda: bool(site.version(name).metrics))
    assert site.version(name).metrics["tuning"]["steps"] > 0

    assert "keeps the best so far" in tuning.cancel(site.house, KEY, name)
    wait_until(lambda: queues.status(job).state == "cancelled")
    version = site.version(name)
    assert version.state == "candidate"
    assert "cancelled, the best so far is kept" in version.message
    assert site.house.project(KEY).served == "espalier-v3"


def test_one_that_is_cancelled_while_it_waits_never_begins(site: Site, queues: Queues) -> None:
    name = tuning.plan(site.house, KEY, TUNING).name
    queues.request_tuning(KEY, name)
    assert "cancelled before it began" in tuning.cancel(site.house, KEY, name)
    assert site.version(name).state == "failed"


def test_one_whose_process_is_gone_is_not_said_to_be_training_for_ever(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = tuning.plan(site.house, KEY, TUNING).name
    tuning.settle(site.house, KEY)
    assert site.version(name).state == "training", "it may not be in its line yet"
    monkeypatch.setattr(tuning, "_GRACE", -tuning._GRACE)
    tuning.settle(site.house, KEY)
    version = site.version(name)
    assert version.state == "failed"
    assert f"--resume {name}" in version.message
    again = tuning.tune(site.house, KEY, None, Progress(), name=name)
    assert again.name == name
    assert again.state in ("candidate", "promoted")
