"""Labeled pictures as embeddings: those of a directory where there is one, and scikit-learn's digits everywhere.

ESPALIER_TEST_DATA names the directory, which holds `data/images/<set>/labels.csv` and `data/weights/`. Embeddings are
made once, and kept in the cache directory. Without that data, only the digits are measured.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from espalier.contract import EncoderRequest
from espalier.media.picture import read_picture

DATA = Path(os.environ.get("ESPALIER_TEST_DATA", Path(__file__).resolve().parents[2] / "shared")) / "data"
CACHE = Path(os.environ.get("ESPALIER_BENCH_CACHE", Path(tempfile.gettempdir())))
_COLUMNS = (
    ("cifar100_nested", "coarse"),
    ("cifar100_nested", "fine"),
    ("clothing10", "label"),
    ("day_night", "label"),
    ("traffic_light_imbalanced", "label"),
    ("pcb_tiles", "quality"),
)
_BATCH = 32


@dataclass(frozen=True)
class EmbeddedSet:
    """embeddings float32 (n, d) of norm 1, labels int64 (n,) from 0, groups int64 (n,) that must stay together."""

    name: str
    embeddings: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def options(self) -> int:
        return int(self.labels.max()) + 1


def embedded_sets() -> Iterator[EmbeddedSet]:
    for name, column in _COLUMNS:
        directory = DATA / "images" / name
        if directory.exists():
            rows = list(csv.DictReader((directory / "labels.csv").open()))
            source = "source_image" if "source_image" in rows[0] else "filename"
            yield EmbeddedSet(
                f"{name}/{column}",
                _embeddings(directory, [row["filename"] for row in rows]),
                _numbered([row[column] for row in rows]),
                _numbered([row[source] for row in rows]),
            )
    digits = load_digits()
    pixels = (digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)).astype(np.float32)
    yield EmbeddedSet("digits (pixels)", pixels, digits.target.astype(np.int64), np.arange(len(pixels)))


def _numbered(names: list[str]) -> NDArray[np.int64]:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _embeddings(directory: Path, files: list[str]) -> NDArray[np.float32]:
    kept = CACHE / f"emb_{directory.name}.npy"
    if not kept.exists():
        from espalier_timm import TimmEncoder

        encoder = TimmEncoder.open(
            EncoderRequest(model="mobilenetv2_100", weights_dir=DATA / "weights", device="cpu", precision="fp32")
        )
        parts = [
            encoder.encode(np.stack([read_picture(directory / name, encoder.spec.input_size) for name in batch]))
            for batch in (files[at : at + _BATCH] for at in range(0, len(files), _BATCH))
        ]
        part = kept.with_name(f".{kept.name}")
        np.save(part, np.concatenate(parts))
        part.rename(kept)
    found: NDArray[np.float32] = np.load(kept)
    return found
