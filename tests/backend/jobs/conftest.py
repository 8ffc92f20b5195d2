"""A house in which everything is real: records, queue, encoder, pictures. What a person would do is a method."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import Digit, write_digits
from espalier.demo.results import choices
from espalier.jobs import house as houses
from espalier.jobs import training, valkey
from espalier.jobs.house import House
from espalier.jobs.parameters import RunParameters
from espalier.jobs.predicting import Predicted, Predictor
from espalier.jobs.progress import Progress
from espalier.settings import Secret, Settings
from espalier.store.rows import ModelVersion, Project

KEY = "7.1700000000"


@dataclass
class Home:
    """One project in a house of its own. Times are counted, so that later annotations are newer."""

    house: House
    key: str = KEY
    clock: int = 0
    annotations: int = 0
    encoded: list[int] = field(default_factory=list)
    """How many frames each call of the encoder got."""

    @property
    def project(self) -> Project:
        return self.house.project(self.key)

    def configure(self, config: str) -> None:
        self.house.records.put_project(self.key, id=7, label_config=config)

    def add_tasks(self, data: Sequence[Mapping[str, Any]], first: int = 1) -> list[dict[str, Any]]:
        """Task objects without annotations, numbered from `first`."""
        tasks = [{"id": id, "data": dict(one), "annotations": []} for id, one in enumerate(data, start=first)]
        self.house.records.mirror_tasks(self.key, tasks)
        return tasks

    def annotate(self, task_id: int, result: list[dict[str, Any]], *, id: int | None = None, **more: Any) -> int:
        """The annotation's id; with `id`, that one is updated."""
        said = self._said(task_id, result, id)
        self.house.records.mirror_annotations(self.key, [said | more])
        return int(said["id"])

    def annotate_all(self, results: Mapping[int, list[dict[str, Any]]], *, ids: Sequence[int] = ()) -> None:
        """By task, one after the other, and told together: a transaction for each takes longer than all the rest.

        With `ids`, one for each, those annotations are updated.
        """
        given: Sequence[int | None] = ids or [None] * len(results)
        said = [self._said(task, result, id) for (task, result), id in zip(results.items(), given, strict=True)]
        self.house.records.mirror_annotations(self.key, said)

    def train(self) -> ModelVersion:
        return training.train(self.house, self.key, Progress())

    def predict(self, tasks: Sequence[Mapping[str, Any]], **parameters: Any) -> list[Predicted]:
        version = self.house.version(self.project)
        predictor = Predictor(self.house, self.project, version, RunParameters(**parameters))
        return list(predictor.predict(tasks, Progress()))

    def count_encoding(self) -> None:
        """From now on `encoded` grows; the encoder stays the real one."""
        encoder = self.house.encoder()
        encode = encoder.encode

        def counted(frames: Any) -> Any:
            self.encoded.append(len(frames))
            return encode(frames)

        encoder.encode = counted  # type: ignore[method-assign]

    def digits(self, count: int, annotated: int) -> tuple[list[dict[str, Any]], list[Digit]]:
        """Tasks with a digit each, of which the first ones are annotated, as far as the configuration asks."""
        ontology = self.house.ontology(self.project)
        root = self.house.settings.media_roots[0]
        digits = write_digits(root / "digits", count)
        tasks = self.add_tasks([{"image": str(digit.path)} for digit in digits])
        asked = [{name: option for name, option in digit.answers.items() if name in ontology} for digit in digits]
        self.annotate_all(
            {task["id"]: choices("image", answers) for task, answers in zip(tasks[:annotated], asked, strict=False)}
        )
        return tasks, digits

    def _said(self, task_id: int, result: list[dict[str, Any]], id: int | None = None) -> dict[str, Any]:
        self.clock += 1
        if id is None:
            self.annotations += 1
            id = self.annotations
        return {"id": id, "task": task_id, "result": result, "updated_at": f"2024-01-01T00:00:00.{self.clock:06d}Z"}


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded Valkey that lives for all tests of the session."""
    directory = tmp_path_factory.mktemp("v")
    # Started by another process, as in production: it is nobody's child here.
    start = (
        "import sys, pathlib; from espalier.jobs import valkey; print(valkey.embedded_url(pathlib.Path(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", start, str(directory)], check=True, capture_output=True, text=True)
    yield done.stdout.strip()
    valkey.stop(directory)


@pytest.fixture
def new_home(redis_url: str, tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """Call it with settings that differ. The same data directory each time, an empty queue, steps that find it."""
    opened: list[House] = []

    def build(**changes: Any) -> Home:
        options: dict[str, Any] = {"encoder": "classic", "debounce_s": 0.01, **changes}
        settings = Settings(data_dir=tmp_path / "data", media_roots=(tmp_path,), redis_url=Secret(redis_url), **options)
        house = houses.current(settings)
        if not opened:
            house.queues.redis.flushall()
        opened.append(house)
        return Home(house)

    yield build
    houses._houses.clear()
    for house in opened:
        house.records.close()
        house.embeddings.close()
        house.queues.redis.close()


@pytest.fixture
def home(new_home: Callable[..., Home]) -> Home:
    return new_home()
