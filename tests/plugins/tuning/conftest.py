"""Painted pictures, weights for a tiny network, and real pictures where they are at hand."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from espalier.contract import Ids, Pictures
from espalier.tuning import TuningData, TuningHead, TuningReport


@pytest.fixture(scope="session")
def painted() -> ModuleType:
    """`painted.py` beside this file, which is a program, too."""
    path = Path(__file__).with_name("painted.py")
    specification = importlib.util.spec_from_file_location("painted", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["painted"] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def weights_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of timm's tiny test network, as good as pretrained ones where only their use is looked at."""
    import timm
    import torch
    from safetensors.torch import save_model

    directory = tmp_path_factory.mktemp("weights")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        save_model(timm.create_model("test_resnet", num_classes=10), str(directory / "test_resnet.safetensors"))
    return directory


@pytest.fixture
def told() -> Told:
    return Told()


class Told:
    """Remembers reports, and cancels after so many evaluations."""

    def __init__(self) -> None:
        self.reports: list[TuningReport] = []
        self.cancel_after = 10**9

    def __call__(self, report: TuningReport) -> bool:
        self.reports.append(report)
        return len(self.evaluations) < self.cancel_after

    @property
    def evaluations(self) -> list[TuningReport]:
        return [report for report in self.reports if report.scores]


Real = Callable[..., TuningData]


@pytest.fixture
def real(shared: Callable[[str], Path]) -> Real:
    """The pictures of a set, every `step`-th of them, with one head per question."""

    def gather(name: str, questions: Sequence[str], step: int = 1) -> TuningData:
        root = shared(f"data/images/{name}")
        with (root / "labels.csv").open() as file:
            rows = list(csv.DictReader(file))[::step]
        heads = [head for question in questions for head in _heads(rows, question)]

        def read(numbers: Ids, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
            for start in range(0, len(numbers), 16):
                chosen = numbers[start : start + 16]
                yield chosen, np.stack([_picture(root / rows[number]["filename"], size) for number in chosen])

        parts = np.random.default_rng(0).permutation(np.arange(len(rows)) % 3 == 0).astype(np.int8)
        return TuningData(tuple(heads), parts, read)

    return gather


def _heads(rows: list[dict[str, str]], question: str) -> Iterator[TuningHead]:
    """`label` is a single choice, `a|b` b below a, and `*labels` a multiple choice."""
    parent, _, child = question.partition("|")
    if parent.startswith("*"):
        given = [set(row[parent[1:]].split("|")) - {"none"} for row in rows]
        options = sorted(set().union(*given))
        targets = np.array([[option in labels for option in options] for labels in given], np.float32)
        yield _head(parent[1:], False, targets, np.ones(len(rows), np.bool_))
        return
    yield _head(parent, True, _chosen([row[parent] for row in rows]), np.ones(len(rows), np.bool_))
    for option in sorted({row[parent] for row in rows}) if child else ():
        asked = np.array([row[parent] == option for row in rows])
        targets = np.zeros((len(rows), len({row[child] for row in rows if row[parent] == option})), np.float32)
        targets[asked] = _chosen([row[child] for row in rows if row[parent] == option])
        yield _head(f"{parent}.{option}", True, targets, asked)


def _chosen(labels: list[str]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.eye(len(set(labels)), dtype=np.float32)[np.unique(labels, return_inverse=True)[1]]
    return found


def _head(key: str, exclusive: bool, targets: NDArray[np.float32], asked: NDArray[np.bool_]) -> TuningHead:
    mask = np.repeat(asked[:, None], targets.shape[1], axis=1)
    return TuningHead(key, exclusive, targets, mask, mask.astype(np.float32))


def _picture(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize(size[::-1], Image.Resampling.BICUBIC))
