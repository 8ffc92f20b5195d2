"""A project whose media and embeddings are given as numbers: nothing is decoded, everything else is real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.contract import Embeddings
from espalier.demo.results import choices
from espalier.jobs.house import House
from espalier.search.asking import ask
from espalier.search.project_index import close_indexes
from espalier.settings import Settings
from espalier.store.catalogue import Shown
from espalier.store.rows import ModelVersion, Prediction, Project

KEY = "7.1700000000"
CONFIG = """<View>
  <Image name="image" value="$image"/>
  <Choices name="weather" toName="image"><Choice value="rain"/><Choice value="sun"/></Choices>
  <Image name="pages" valueList="$pages"/>
  <Choices name="page" toName="pages" perItem="true" choice="multiple"><Choice value="text"/><Choice value="plate"/>
  </Choices>
  <Video name="video" value="$video" frameRate="10"/>
  <TimelineLabels name="shot" toName="video"><Label value="wide"/><Label value="close"/></TimelineLabels>
</View>"""


def unit(rows: Any) -> Embeddings:
    array = np.asarray(rows, np.float64)
    return np.asarray(array / np.linalg.norm(array, axis=-1, keepdims=True), np.float32)


@dataclass
class Site:
    """One project. Media are named by short words, which become digests."""

    house: House
    key: str = KEY
    clock: int = 0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    @property
    def project(self) -> Project:
        return self.house.project(self.key)

    @property
    def dim(self) -> int:
        return self.house.encoder().spec.dim

    @staticmethod
    def unit(rows: Any) -> Embeddings:
        """float32, rows of norm 1."""
        return unit(rows)

    @staticmethod
    def shown(task_id: int, digest: str) -> Shown:
        """As an image."""
        return Shown(task_id, "image", 0, digest, "image")

    def rows(self, count: int) -> Embeddings:
        return unit(self.random.normal(size=(count, self.dim)))

    def tasks(self, ids: Sequence[int]) -> None:
        self.house.records.mirror_tasks(self.key, [{"id": id, "data": {"image": f"{id}.jpg"}} for id in ids])

    def show(self, *shown: Shown) -> None:
        self.tasks(sorted({one.task_id for one in shown}))
        self.house.records.note_shown(self.key, shown)

    def images(self, rows: Embeddings, first: int = 1) -> None:
        """A task with an image each, embedded."""
        ids = range(first, first + len(rows))
        self.show(*(Shown(id, "image", 0, f"image {id}", "image") for id in ids))
        self.embed([(f"image {id}", 0) for id in ids], rows)

    def video(self, task_id: int, rows: Embeddings, *, rate: int = 10, numbers: Sequence[int] | None = None) -> None:
        """Of these frames, or all; a second has `rate` frames."""
        digest = f"video {task_id}"
        frames = list(range(len(rows))) if numbers is None else list(numbers)
        length = max(frames) + 1
        self.show(Shown(task_id, "video", 0, digest, "video", length, length / rate))
        self.embed([(digest, frame) for frame in frames], rows)

    def embed(self, keys: Sequence[tuple[str, int]], rows: Embeddings) -> None:
        self.house.embeddings.write_many(self.house.encoder().spec.digest, keys, rows)

    def annotate(self, task_id: int, result: list[dict[str, Any]], *, id: int | None = None) -> None:
        """One annotation per task, replaced by the next."""
        self.clock += 1
        said = {"id": id or task_id, "task": task_id, "result": result}
        self.house.records.mirror_annotations(
            self.key, [said | {"updated_at": f"2024-01-01T00:00:00.{self.clock:06d}Z"}]
        )

    def label(self, task_id: int, **answers: str) -> None:
        self.annotate(task_id, choices("image", answers))

    def serve(self, name: str = "v1") -> None:
        version = ModelVersion(self.key, name, "candidate", "-", {}, "-", "-", {}, datetime.now(timezone.utc))
        self.house.records.add_version(version)
        self.house.records.serve(self.key, name)

    def predict(self, task_id: int, result: list[dict[str, Any]], name: str = "v1") -> None:
        self.house.records.put_predictions([Prediction(self.key, task_id, name, "inputs", result)])

    def ask(self, kind: str, **request: Any) -> dict[str, Any]:
        return ask(self.house, self.project, kind, request)

    def search(self, query: Mapping[str, Any], **request: Any) -> dict[str, Any]:
        return self.ask("search", query=query, **request)

    def found(self, query: Mapping[str, Any], **request: Any) -> list[tuple[int, int]]:
        """(task, frame) of the hits, best first."""
        return [(hit["task"], hit["frame"]) for hit in self.search(query, **request)["hits"]]

    @staticmethod
    def shots(*spans: tuple[str, int, int], scores: Sequence[float] = ()) -> list[dict[str, Any]]:
        """Regions of a video's timeline: label, first and last number."""
        return [
            {
                "id": f"r{place}",
                "type": "timelinelabels",
                "from_name": "shot",
                "to_name": "video",
                "value": {"timelinelabels": [label], "ranges": [{"start": first, "end": last}]},
                **({"score": scores[place]} if scores else {}),
            }
            for place, (label, first, last) in enumerate(spans)
        ]

    @staticmethod
    def page(item: int, *names: str) -> dict[str, Any]:
        """What is said of one item of a sequence."""
        return {
            "id": f"p{item}",
            "type": "choices",
            "from_name": "page",
            "to_name": "pages",
            "item_index": item,
            "value": {"choices": list(names)},
        }


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Call it with settings that differ; the data directory is the same each time."""
    houses: list[House] = []

    def build(**changes: Any) -> Site:
        options = {"encoder": "classic", "media_roots": (tmp_path,), **changes}
        house = House(Settings(data_dir=tmp_path / "data", **options))
        house.records.put_project(KEY, id=7, label_config=CONFIG)
        houses.append(house)
        return Site(house)

    yield build
    for house in houses:
        close_indexes(house)
        house.records.close()
        house.embeddings.close()


@pytest.fixture
def site(new_site: Callable[..., Site]) -> Site:
    return new_site()
