"""Labeled pictures as embeddings: those of a directory where there is one, else scikit-learn's digits as plain pixels.

The directory holds `images/<set>/labels.csv` with its pictures and `weights/<timm name>.safetensors`. Embeddings are
made once, and kept in the system's directory for temporary files under the digest of the encoder.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from espalier.contract import EncoderRequest
from espalier.media.picture import read_picture
from espalier_timm import TimmEncoder

SHARED = Path(os.environ.get("ESPALIER_TEST_DATA", Path(__file__).resolve().parents[2] / "shared"))
MODELS = ("mobilenetv2_100", "mobilenetv1_100")
_COLUMNS = (
    ("cifar100_nested", "coarse"),
    ("cifar100_nested", "fine"),
    ("clothing10", "label"),
    ("day_night", "label"),
    ("pcb_tiles", "quality"),
    ("traffic_light_imbalanced", "label"),
    ("trees_tiny", "label"),
)
_BATCH = 32


@dataclass(frozen=True)
class PictureSet:
    """embeddings float32 (n, d) of norm 1, holds bool (n, k), groups int64 (n,) that no split may part."""

    name: str
    embeddings: NDArray[np.float32]
    holds: NDArray[np.bool_]
    groups: NDArray[np.int64]

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.holds.argmax(axis=1).astype(np.int64)

    @property
    def options(self) -> int:
        return self.holds.shape[1]


def single_sets(data: Path | None = None, models: Sequence[str] = MODELS) -> Iterator[PictureSet]:
    """Of which exactly one option holds for each picture; the digits come last."""
    data = data or SHARED / "data"
    for model in models:
        for name, column in _COLUMNS:
            if (data / "images" / name).exists():
                rows, embeddings, groups = _opened(data, name, model)
                options, labels = np.unique([row[column] for row in rows], return_inverse=True)
                holds = np.eye(len(options), dtype=np.bool_)[labels]
                yield PictureSet(f"{name.partition('_')[0]}/{column}/{model[9:11]}", embeddings, holds, groups)
    digits = load_digits()
    pixels = (digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)).astype(np.float32)
    yield PictureSet("digits/pixels", pixels, np.eye(10, dtype=np.bool_)[digits.target], np.arange(len(pixels)))


def multiple_sets(data: Path | None = None) -> Iterator[PictureSet]:
    """Of which any number of options holds: the defects of printed circuits."""
    data = data or SHARED / "data"
    for model in MODELS:
        if (data / "images" / "pcb_tiles").exists():
            rows, embeddings, groups = _opened(data, "pcb_tiles", model)
            said = [set(row["defects"].split("|")) - {"none"} for row in rows]
            options = sorted(set().union(*said))
            holds = np.array([[option in held for option in options] for held in said])
            yield PictureSet(f"pcb/defects/{model[9:11]}", embeddings, holds, groups)


def _opened(data: Path, name: str, model: str) -> tuple[list[dict[str, str]], NDArray[np.float32], NDArray[np.int64]]:
    directory = data / "images" / name
    with (directory / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    source = "source_image" if "source_image" in rows[0] else "filename"
    groups = np.unique([row[source] for row in rows], return_inverse=True)[1].astype(np.int64)
    return rows, _embeddings(data, directory, [row["filename"] for row in rows], model), groups


def _embeddings(data: Path, directory: Path, files: list[str], model: str) -> NDArray[np.float32]:
    encoder = TimmEncoder.open(EncoderRequest(model=model, weights_dir=data / "weights", device="cpu"))
    kept = Path(tempfile.gettempdir()) / f"espalier-bench-{directory.name}-{encoder.spec.digest}.npy"
    if not kept.exists():
        parts = []
        for first in range(0, len(files), _BATCH):
            names = files[first : first + _BATCH]
            parts.append(
                encoder.encode(np.stack([read_picture(directory / name, encoder.spec.input_size) for name in names]))
            )
        unfinished = kept.with_suffix(f".{os.getpid()}.npy")
        np.save(unfinished, np.concatenate(parts))
        unfinished.rename(kept)
    found: NDArray[np.float32] = np.load(kept)
    return found
