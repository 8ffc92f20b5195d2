"""Labels that were changed on purpose are found, and what should hold is suggested."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from espalier.labeling.label_errors import cross_refit, label_errors
from espalier.labeling.label_noise import LabelNoise, most_likely_wrong
from espalier.learning.folds import deal
from espalier.learning.linear import LinearClassifier
from espalier.media.picture import read_picture
from espalier_classic import ClassicEncoder

Floats = NDArray[np.float32]


def linear() -> LinearClassifier:
    return LinearClassifier(search=False)


def flipped(labels: NDArray[np.int64], options: int, share: float) -> NDArray[np.int64]:
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(labels))[: round(share * len(labels))]
    changed = labels.copy()
    changed[rows] = (labels[rows] + rng.integers(1, options, len(rows))) % options
    return changed


def digits(rows: int = 900) -> tuple[Floats, NDArray[np.int64]]:
    data = load_digits()
    pixels = data.data[:rows] / np.linalg.norm(data.data[:rows], axis=1, keepdims=True)
    return pixels.astype(np.float32), data.target[:rows].astype(np.int64)


def test_flipped_digits_are_found_and_put_right() -> None:
    embeddings, true = digits()
    labels = flipped(true, 10, 0.1)
    targets, groups = np.eye(10, dtype=np.float32)[labels], np.arange(len(labels))
    mask = np.ones(targets.shape, np.bool_)
    folds = deal(targets, mask, groups).rows
    refit = cross_refit(linear, embeddings, targets, groups, folds, exclusive=True)
    found = label_errors(refit(mask), targets, mask, exclusive=True, refit=refit)
    wrong = labels != true
    precision = (found.suspicious & wrong).sum() / found.suspicious.sum()
    recall = (found.suspicious & wrong).sum() / wrong.sum()
    print(f"precision {precision:.3f}, recall {recall:.3f}, estimated share of wrong labels {found.rate:.3f}")
    assert precision > 0.9
    assert recall > 0.9
    assert found.rate == pytest.approx(0.1, abs=0.02)
    put_right = found.suggested.argmax(axis=1)[found.suspicious & wrong] == true[found.suspicious & wrong]
    assert put_right.mean() > 0.9
    assert len(found.candidates) == found.suspicious.sum()
    assert [c.score for c in found.candidates] == sorted(c.score for c in found.candidates)
    assert found.quality.min() >= 0
    assert found.quality.max() <= 1


def test_flipped_labels_of_real_pictures_are_found(shared: Callable[[str], Path]) -> None:
    """Without weights: the classic encoder on photographs by day and by night."""
    directory = shared("data/images/day_night")
    rows = list(csv.DictReader((directory / "labels.csv").read_text().splitlines()))[::2]
    encoder = ClassicEncoder()
    size = encoder.spec.input_size
    embeddings = encoder.encode(np.stack([read_picture(directory / row["filename"], size) for row in rows]))
    true = np.array([row["label"] == "night" for row in rows], np.int64)
    labels = flipped(true, 2, 0.1)
    targets, groups = np.eye(2, dtype=np.float32)[labels], np.arange(len(labels))
    mask = np.ones(targets.shape, np.bool_)
    refit = cross_refit(linear, embeddings, targets, groups, deal(targets, mask, groups).rows, exclusive=True)
    found = label_errors(refit(mask), targets, mask, exclusive=True, refit=refit)
    wrong = labels != true
    hits = int((found.suspicious & wrong).sum())
    print(f"precision {hits / found.suspicious.sum():.3f}, recall {hits / wrong.sum():.3f}")
    assert hits / found.suspicious.sum() > 0.8
    assert hits / wrong.sum() > 0.8
    best = found.candidates[0]
    assert wrong[best.rows[0]]
    options = (("day",), ("night",))
    assert best.sentence(options) in ("labeled day, looks like night", "labeled night, looks like day")


def test_few_are_named_where_nothing_is_wrong() -> None:
    embeddings, labels = digits()
    targets, groups = np.eye(10, dtype=np.float32)[labels], np.arange(len(labels))
    mask = np.ones(targets.shape, np.bool_)
    scores = cross_refit(linear, embeddings, targets, groups, deal(targets, mask, groups).rows, exclusive=True)(mask)
    assert label_errors(scores, targets, mask, exclusive=True).suspicious.mean() < 0.02


def test_each_option_of_several_is_judged_where_something_was_said_of_it() -> None:
    embeddings, true = digits()
    holds = np.column_stack((true % 2 == 0, true >= 5, true == 0))
    targets, groups = holds.astype(np.float32), np.arange(len(true))
    mask = np.ones(targets.shape, np.bool_)
    mask[:100, 1] = False
    rng = np.random.default_rng(1)
    wrong = rng.random(targets.shape) < 0.05
    targets[wrong] = 1.0 - targets[wrong]
    folds = deal(targets, mask, groups).rows
    refit = cross_refit(linear, embeddings, targets, groups, folds, exclusive=False)
    found = label_errors(refit(mask), targets, mask, exclusive=False, refit=refit)
    named = found.suggested != (mask & (targets > 0.5))
    hits = (named & wrong & mask).sum()
    assert not named[~mask].any()
    assert (found.cells[~mask] == 1).all()
    assert hits / named.sum() > 0.7
    assert hits / (wrong & mask).sum() > 0.7
    assert np.array_equal(found.suspicious, named.any(axis=1))


def test_rows_of_none_of_the_options_are_judged_too() -> None:
    rng = np.random.default_rng(0)
    scores = np.full((200, 2), 0.02, np.float32)
    labels = rng.integers(0, 3, 200)  # 2: none
    for row, label in enumerate(labels):
        if label < 2:
            scores[row, label] = 0.95
    targets = np.eye(3, dtype=np.float32)[labels][:, :2]
    none, shown = int(np.flatnonzero(labels == 2)[0]), int(np.flatnonzero(labels == 0)[0])
    scores[none], scores[shown] = (0.97, 0.01), (0.01, 0.01)
    found = label_errors(scores, targets, np.ones(targets.shape, np.bool_), exclusive=True, background=True)
    by_row = {int(candidate.rows[0]): candidate for candidate in found.candidates}
    assert set(by_row) == {none, shown}
    assert by_row[none].sentence((("cat",), ("dog",))) == "labeled none of the options, looks like cat"
    assert by_row[shown].sentence((("cat",), ("dog",))) == "labeled cat, looks like none of the options"


def video(wrong: slice) -> tuple[Floats, Floats, NDArray[np.str_], NDArray[np.int64]]:
    """Ten clips of 20 frames; in the first, some frames say the other thing."""
    labels = np.repeat(np.arange(10) % 2, 20)
    scores = np.where(np.eye(2)[labels] > 0, 0.97, 0.03).astype(np.float32)
    said = labels.copy()
    said[wrong] = 1 - said[wrong]
    media = np.repeat(np.array([f"clip {i}" for i in range(10)]), 20)
    return scores, np.eye(2, dtype=np.float32)[said], media, np.tile(np.arange(20), 10)


def test_neighbouring_frames_are_one_candidate() -> None:
    scores, targets, media, frames = video(slice(5, 12))
    found = label_errors(scores, targets, np.ones(targets.shape, np.bool_), exclusive=True, media=media, frames=frames)
    (only,) = found.candidates
    assert only.rows.tolist() == list(range(5, 12))
    assert (only.said, only.suggested) == ((1,), (0,))


def test_frames_far_apart_are_two_candidates() -> None:
    scores, targets, media, frames = video(slice(5, 12))
    frames = frames + 90 * (frames > 8)
    found = label_errors(scores, targets, np.ones(targets.shape, np.bool_), exclusive=True, media=media, frames=frames)
    assert [candidate.rows.tolist() for candidate in found.candidates] == [[5, 6, 7, 8], [9, 10, 11]]


def test_a_media_is_one_candidate_where_the_question_is_of_the_whole() -> None:
    scores, targets, media, frames = video(slice(0, 20))
    scores[3] = 0.5  # one frame in doubt does not part the media
    found = label_errors(
        scores, targets, np.ones(targets.shape, np.bool_), exclusive=True, media=media, frames=frames, per_media=True
    )
    (only,) = found.candidates
    assert only.rows.tolist() == list(range(20))


@pytest.mark.parametrize("rows", [0, 1, 3], ids=["no rows", "one row", "three rows"])
def test_hardly_anything_is_no_error(rows: int) -> None:
    targets = np.eye(3, dtype=np.float32)[:rows]
    found = label_errors(np.full((rows, 3), 1 / 3, np.float32), targets, targets < 2, exclusive=True)
    assert found.candidates == ()


def test_noise_is_estimated_with_its_direction() -> None:
    rng = np.random.default_rng(3)
    true = rng.integers(0, 3, 6000)
    scores = np.full((6000, 3), 0.05)
    scores[np.arange(6000), true] = 0.9
    labels = np.where((true == 0) & (rng.random(6000) < 0.2), 1, true)
    odds = LabelNoise.of(scores, labels).odds
    assert odds[0, 1] == pytest.approx(0.2, abs=0.03)
    assert np.trace(odds[1:, 1:]) == pytest.approx(2.0, abs=0.05)


def test_those_are_named_that_make_the_expected_f1_best() -> None:
    assert most_likely_wrong(np.array([0.9, 0.01, 0.8, 0.02])).tolist() == [True, False, True, False]
    assert not most_likely_wrong(np.full(5, 0.001)).any()
