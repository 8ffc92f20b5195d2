"""The encoder without weights: it keeps the contract, stays what it is, and tells what it can tell."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from espalier.contract import EncoderRequest, Pictures
from espalier.errors import BadSetting
from espalier.testing import check_encoder
from espalier_classic import ClassicEncoder

CANONICAL_PLACES = [250, 285, 320, 136]
CANONICAL_VALUES = [0.18888, 0.17698, 0.15678, 0.14731]


def test_it_keeps_the_contract() -> None:
    check_encoder(ClassicEncoder)


def test_a_known_picture_has_the_known_embedding() -> None:
    """Canonical values: where they move, VERSION must be raised, or old embeddings are mixed with new ones."""
    across = np.linspace(0, 255, 96).astype(np.uint8)
    picture = np.stack(np.broadcast_arrays(across[None, :], across[:, None], np.uint8(90)), axis=-1)[None]
    row = ClassicEncoder().encode(picture)[0]
    assert row.shape == (666,)
    strongest = np.argsort(-row, kind="stable")[:4]
    assert strongest.tolist() == CANONICAL_PLACES
    assert np.allclose(row[strongest], CANONICAL_VALUES, atol=1e-4)


@pytest.mark.parametrize(
    ("request_", "message"),
    [(EncoderRequest(model="resnet18"), "no models"), (EncoderRequest(device="cuda"), "CPU only")],
    ids=["a model", "a GPU"],
)
def test_what_it_does_not_have_is_refused(request_: EncoderRequest, message: str) -> None:
    with pytest.raises(BadSetting, match=message):
        ClassicEncoder.open(request_)


@pytest.mark.parametrize(
    ("folder", "at_least"), [("day_night", 0.9), ("traffic_light_imbalanced", 0.9), ("clothing10", 0.45)]
)
def test_it_tells_what_colour_and_edges_can_tell(shared: Callable[[str], Path], folder: str, at_least: float) -> None:
    root = shared(f"data/images/{folder}")
    with (root / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))[::2]
    embeddings = ClassicEncoder().encode(np.concatenate([_read(root / row["filename"]) for row in rows]))
    labels = np.array([row["label"] for row in rows])
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    scores = cross_val_score(LogisticRegression(C=30, max_iter=500), embeddings, labels, cv=folds)
    assert scores.mean() >= at_least


def _read(path: Path) -> Pictures:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((96, 96), Image.Resampling.BOX))[None]
