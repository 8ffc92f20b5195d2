"""Novelty separates what is unlike normal frames, and flags as few of the unseen normal ones as asked."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from espalier.contract import Embeddings, EncoderRequest
from espalier.media.picture import read_picture
from espalier.similarity.novelty import Novelty


def rows(count: int, dim: int, seed: int, *, kinds: int = 2) -> Embeddings:
    """Two kinds of normal frames that vary in a few directions much more than in the others."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(kinds, dim))
    spread = np.where(np.arange(dim) < 4, 1.0, 0.1)
    found = centres[rng.integers(0, kinds, count)] + rng.normal(size=(count, dim)) * spread
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def test_what_leaves_the_usual_directions_is_novel() -> None:
    normal = rows(300, 32, 0)
    novelty = Novelty()
    novelty.fit(normal, np.arange(300))
    strange = rows(50, 32, 1)
    strange[:, 20] += 0.2
    strange /= np.linalg.norm(strange, axis=1, keepdims=True)
    assert novelty.score(strange).min() > novelty.cutoff()
    assert novelty.score(strange).dtype == np.float32
    assert novelty.score(normal[:0]).shape == (0,)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("count", [40, 1000])
def test_about_the_share_asked_of_unseen_normal_frames_is_flagged(share: float, count: int) -> None:
    flagged = []
    for seed in range(4):
        novelty = Novelty()
        novelty.fit(rows(count, 16, seed), np.arange(count))
        flagged.append(float((novelty.score(rows(2000, 16, seed + 100)) > novelty.cutoff(share)).mean()))
    assert 0.2 * share < np.mean(flagged) < 1.5 * share + 0.01


def test_frames_of_one_group_never_judge_each_other() -> None:
    """Every frame ten times, as a video shows it: in groups of their own they would all seem well known."""
    normal = np.repeat(rows(30, 16, 0), 10, axis=0)
    grouped, apart = Novelty(), Novelty()
    grouped.fit(normal, np.arange(300) // 10)
    apart.fit(normal, np.arange(300))
    unseen = rows(500, 16, 7)
    assert (grouped.score(unseen) > grouped.cutoff(0.1)).mean() < 0.2
    assert (apart.score(unseen) > apart.cutoff(0.1)).mean() > 0.5


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    novelty = Novelty()
    novelty.fit(rows(50, 16, 0), np.arange(50))
    novelty.save(tmp_path)
    again = Novelty.load(tmp_path)
    asked = rows(20, 16, 1)
    assert np.array_equal(novelty.score(asked), again.score(asked))
    assert novelty.cutoff(0.001) == again.cutoff(0.001)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}


@pytest.mark.parametrize("normal", [rows(2, 16, 0), np.repeat(rows(1, 16, 0), 5, axis=0)], ids=["two", "all the same"])
def test_few_or_equal_frames_are_enough(normal: Embeddings) -> None:
    novelty = Novelty()
    novelty.fit(normal, np.zeros(len(normal), np.int64))
    near, far = novelty.score(np.stack([normal[0], -normal[0]]))
    assert 0 <= near < far
    assert np.isfinite(novelty.cutoff())


def test_mistakes_are_refused() -> None:
    novelty = Novelty()
    for unready in (novelty.cutoff, lambda: novelty.score(rows(1, 8, 0))):
        with pytest.raises(ValueError, match="fit on normal frames first"):
            unready()
    with pytest.raises(ValueError, match="at least 2 normal frames"):
        novelty.fit(rows(1, 8, 0), np.zeros(1, np.int64))
    novelty.fit(rows(9, 8, 0), np.zeros(9, np.int64))
    with pytest.raises(ValueError, match="fitted on 8 dimensions"):
        novelty.score(rows(1, 9, 0))
    with pytest.raises(ValueError, match="share must be above 0"):
        novelty.cutoff(0)


def test_defective_boards_stand_out_at_least_as_by_the_usual_methods(shared: Callable[[str], Path]) -> None:
    """Fitted on 70 % of the good boards; judged on other boards, for several splits. A third of them, for the time."""
    timm = pytest.importorskip("espalier_timm")
    directory = shared("data/images/pcb_tiles")
    encoder = timm.TimmEncoder.open(
        EncoderRequest(model="mobilenetv2_100", weights_dir=shared("data/weights"), device="cpu", threads=1)
    )
    with (directory / "labels.csv").open() as file:
        lines = list(csv.DictReader(file))
    numbers = np.unique([line["source_image"] for line in lines], return_inverse=True)[1].astype(np.int64)
    lines = [line for line, number in zip(lines, numbers, strict=True) if number % 3 == 0]
    boards = numbers[numbers % 3 == 0]
    pictures = [read_picture(directory / line["filename"], encoder.spec.input_size) for line in lines]
    embeddings = np.concatenate(
        [encoder.encode(np.stack(pictures[at : at + 32])) for at in range(0, len(pictures), 32)]
    )
    defective = np.array([line["quality"] == "defective" for line in lines])
    ours, others = [], []
    for seed in range(3):
        shuffled = np.random.default_rng(seed).permutation(np.unique(boards[~defective]))
        known = np.isin(boards, shuffled[: round(0.7 * len(shuffled))])
        normal, asked = embeddings[known & ~defective], embeddings[~known]
        novelty = Novelty()
        novelty.fit(normal, boards[known & ~defective])
        ours.append(roc_auc_score(defective[~known], novelty.score(asked)))
        usual = (LocalOutlierFactor(novelty=True), IsolationForest(random_state=seed))
        others.append([roc_auc_score(defective[~known], -each.fit(normal).score_samples(asked)) for each in usual])
    assert np.mean(ours) >= np.mean(others, axis=0).max()
    assert np.mean(ours) > 0.6
