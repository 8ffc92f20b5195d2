"""On real pictures: right at least as often as the usual methods, and aware of what it was never shown."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from espalier.contract import Embeddings, EncoderRequest, Ids
from espalier.media.picture import read_picture
from espalier_dynamic import DynamicClassifier

PER_CLASS = 11


def fitted(rows: Embeddings, labels: Ids, options: int) -> DynamicClassifier:
    """With one column more, of which there is no example: nothing is like none of these."""
    targets = np.eye(options + 1, dtype=np.float32)[labels]
    classifier = DynamicClassifier()
    classifier.fit(rows, targets, np.ones(targets.shape, np.bool_), np.arange(len(rows)), exclusive=True, seed=0)
    return classifier


def right(rows: Embeddings, labels: Ids, known: Ids, asked: Ids) -> list[float]:
    """Shares of right answers: ours, nearest neighbours, nearest centroid."""
    ours = fitted(rows[known], labels[known], int(labels.max()) + 1).predict(rows[asked])[:, :-1].argmax(axis=1)
    near = KNeighborsClassifier(5, metric="cosine").fit(rows[known], labels[known]).predict(rows[asked])
    centroid = NearestCentroid().fit(rows[known], labels[known]).predict(rows[asked])
    return [float((each == labels[asked]).mean()) for each in (ours, near, centroid)]


def seen_unknown(rows: Embeddings, labels: Ids, known: Ids, asked: Ids, held_out: list[int]) -> tuple[float, float]:
    """AUROC of pictures of classes that were held out: by the last column, by the distance to the nearest example."""
    kept = np.setdiff1d(np.unique(labels), held_out)
    known = known[np.isin(labels[known], kept)]
    strange = np.isin(labels[asked], held_out)
    scores = fitted(rows[known], np.searchsorted(kept, labels[known]), len(kept)).predict(rows[asked])
    nearest = (rows[asked] @ rows[known].T).max(axis=1)
    return float(roc_auc_score(strange, scores[:, -1])), float(roc_auc_score(strange, -nearest))


def test_photographs(shared: Callable[[str], Path]) -> None:
    """Six of each of ten kinds of clothing; five others of each are asked: so few that a centroid may be luckier."""
    timm = pytest.importorskip("espalier_timm")
    directory = shared("data/images/clothing10")
    encoder = timm.TimmEncoder.open(
        EncoderRequest(model="mobilenetv2_100", weights_dir=shared("data/weights"), device="cpu", threads=1)
    )
    with (directory / "labels.csv").open() as file:
        lines = list(csv.DictReader(file))
    kinds = np.unique([line["label"] for line in lines], return_inverse=True)[1].astype(np.int64)
    rng = np.random.default_rng(0)
    chosen = np.concatenate([rng.choice(np.flatnonzero(kinds == each), PER_CLASS, replace=False) for each in range(10)])
    labels = kinds[chosen]
    paths = [directory / lines[at]["filename"] for at in chosen]
    pictures = np.stack([read_picture(path, encoder.spec.input_size) for path in paths])
    rows = np.concatenate([encoder.encode(part) for part in np.array_split(pictures, 5)])
    answered, noticed = [], []
    for _ in range(3):
        order = np.concatenate([PER_CLASS * each + rng.permutation(PER_CLASS) for each in range(10)])
        first = np.arange(len(order)) % PER_CLASS < 6
        known, asked = order[first], order[~first]
        answered.append(right(rows, labels, known, asked))
        held_out = ([each, (each + 3) % 10, (each + 5) % 10] for each in range(0, 10, 2))
        noticed += [seen_unknown(rows, labels, known, asked, each) for each in held_out]
    ours, neighbours, centroid = np.mean(answered, axis=0)
    assert ours > neighbours
    assert ours >= centroid - 0.06
    by_us, by_distance = np.mean(noticed, axis=0)
    assert by_us >= by_distance
    assert by_us > 0.6


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # pixels that are always black
@pytest.mark.parametrize("shots", [5, 20, 100])
def test_digits(shots: int) -> None:
    """Plain pixels of handwritten digits."""
    digits = load_digits()
    rows = (digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)).astype(np.float32)
    labels = digits.target.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(rows))
    known = np.concatenate([order[labels[order] == each][:shots] for each in range(10)])
    asked = np.setdiff1d(order, known)
    ours, *others = right(rows, labels, known, asked)
    assert ours >= max(others) - 0.01
    by_us, by_distance = seen_unknown(rows, labels, known, asked, [2, 5, 8])
    assert by_us >= by_distance - 0.05
    assert by_us > 0.85


@pytest.mark.parametrize("exclusive", [True, False])
def test_its_confidences_are_near_the_frequencies(exclusive: bool) -> None:
    """Before any calibration: of what is said with p, about p is right."""
    digits = load_digits()
    rows = (digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)).astype(np.float32)
    labels = digits.target.astype(np.int64)
    targets = np.eye(11, dtype=np.float32)[labels]
    if not exclusive:
        targets = np.stack([labels % 2 == 0, labels > 4, np.isin(labels, [0, 6, 8, 9])], axis=1).astype(np.float32)
    known = np.random.default_rng(0).permutation(len(rows)) < 200
    classifier = DynamicClassifier()
    mask = np.ones(targets.shape, np.bool_)
    classifier.fit(rows[known], targets[known], mask[known], np.arange(200), exclusive=exclusive, seed=0)
    scores = classifier.predict(rows[~known])
    holds = targets[~known]
    if exclusive:
        best = scores.argmax(axis=1)
        rows_of = np.arange(len(best))
        scores, holds = scores[rows_of, best], holds[rows_of, best]
    bins = np.digitize(scores.ravel(), np.linspace(0, 1, 11))
    error = sum(abs(scores.ravel()[bins == at].sum() - holds.ravel()[bins == at].sum()) for at in np.unique(bins))
    assert error / scores.size < 0.15
