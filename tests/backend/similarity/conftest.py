"""Real pictures as embeddings, by an encoder that needs no weights."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from espalier.media.picture import read_picture
from espalier_classic import ClassicEncoder

Labeled = tuple[NDArray[np.float32], NDArray[np.int64]]


@pytest.fixture(scope="session")
def digits() -> Labeled:
    """Handwritten digits as plain pixels, float32 (1797, 64) of norm 1, and which they are."""
    found = load_digits()
    rows = found.data / np.linalg.norm(found.data, axis=1, keepdims=True)
    return rows.astype(np.float32), found.target.astype(np.int64)


@pytest.fixture(scope="session")
def coarse(shared: Callable[[str], Path]) -> Labeled:
    """Tiny photographs of five kinds of things, float32 (500, dim) of norm 1, and which kind."""
    directory = shared("data/images/cifar100_nested")
    with (directory / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))[::2]
    encoder = ClassicEncoder()
    pictures = np.stack([read_picture(directory / row["filename"], encoder.spec.input_size) for row in rows])
    return encoder.encode(pictures), np.unique([row["coarse"] for row in rows], return_inverse=True)[1].astype(np.int64)
