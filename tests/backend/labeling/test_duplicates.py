"""Copies are found whatever was done to them, and nothing else is; neighbours are those that a full sort gives."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from espalier.labeling import duplicates as module
from espalier.labeling.duplicates import duplicates, neighbours
from espalier.media.picture import Picture, read_picture
from espalier.similarity import close_pairs
from espalier_classic import ClassicEncoder

Floats = NDArray[np.float32]


def units(rows: int, dim: int = 32, seed: int = 0) -> Floats:
    found = np.random.default_rng(seed).normal(size=(rows, dim))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def moved(row: Floats, by: float, seed: int = 1) -> Floats:
    """A unit row at that distance, nearly."""
    away = row + by * units(1, len(row), seed)[0]
    return np.asarray(away / np.linalg.norm(away), np.float32)


def lists(groups: tuple[NDArray[np.int64], ...]) -> list[list[int]]:
    return [group.tolist() for group in groups]


def test_equal_rows_are_exact_and_close_rows_are_near() -> None:
    rows = units(50)
    rows[7] = rows[3]
    rows[20] = moved(rows[3], 0.1)
    rows[30] = moved(rows[40], 0.1)
    found = duplicates(rows)
    assert lists(found.exact) == [[3, 7]]
    assert lists(found.near) == [[3, 20], [30, 40]]
    assert np.flatnonzero(~found.kept(50)).tolist() == [7, 20, 40]


def test_equal_digests_are_exact_even_where_embeddings_differ() -> None:
    found = duplicates(units(4), digests=["a", "b", "a", "c"])
    assert lists(found.exact) == [[0, 2]]
    assert found.near == ()


def test_frames_of_one_media_are_no_duplicates_of_each_other() -> None:
    rows = units(40)
    rows[1], rows[2] = rows[0], rows[0]
    assert lists(duplicates(rows, media=np.array(["a", "a", "b", *map(str, range(37))])).exact) == [[0, 1, 2]]
    assert duplicates(rows, media=np.array(["a", "a", "a", *map(str, range(37))])).exact == ()


def test_blocks_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = units(90)
    rows[80] = moved(rows[2], 0.05)
    whole, near = duplicates(rows), neighbours(rows, 5)
    monkeypatch.setattr(module, "_BLOCK", 16)
    monkeypatch.setattr(module, "_EDGES", 2)
    monkeypatch.setattr(close_pairs, "_BLOCK", 16)
    parts, again = duplicates(rows), neighbours(rows, 5)
    assert lists(parts.near) == lists(whole.near) == [[2, 80]]
    assert np.array_equal(near[0], again[0])


def test_nothing_has_no_duplicates() -> None:
    assert duplicates(np.zeros((0, 8), np.float32)).exact == ()
    assert duplicates(units(1)).near == ()


def test_neighbours_are_the_best_by_cosine_and_not_the_row_itself() -> None:
    rows = units(60)
    ids, scores = neighbours(rows, 4)
    alike = rows @ rows.T
    np.fill_diagonal(alike, -2)
    assert np.array_equal(ids, np.argsort(-alike, axis=1, kind="stable")[:, :4])
    assert np.allclose(scores, np.take_along_axis(alike, ids, axis=1), atol=1e-6)


def test_neighbours_among_few_are_filled_up() -> None:
    among = np.zeros(10, np.bool_)
    among[[2, 5]] = True
    ids, scores = neighbours(units(10), 3, among=among)
    assert ids[0, 2] == -1
    assert scores[0, 2] == -1
    assert set(ids[0, :2].tolist()) == {2, 5}
    assert ids[2].tolist() == [5, -1, -1]


def test_copies_of_real_pictures_are_found(shared: Callable[[str], Path]) -> None:
    """Brightened a little, cropped a little, saved again; by the classic encoder, which needs no weights."""
    files = sorted(shared("data/images/clothing10").glob("*/*.jpg"))[::12]
    encoder = ClassicEncoder()
    pictures = [read_picture(file, None) for file in files]
    copies = [brighter(pictures[0]), cropped(pictures[1]), saved_again(pictures[2])]
    height, width = encoder.spec.input_size
    sized = [np.asarray(Image.fromarray(one).resize((width, height))) for one in [*pictures, *copies]]
    found = duplicates(encoder.encode(np.stack(sized)))
    n = len(pictures)
    print(len(pictures), "pictures,", lists(found.near))
    assert [0, n] in lists(found.near)
    assert [2, n + 2] in lists(found.near)
    assert found.kept(len(sized)).sum() >= 0.9 * n


def brighter(picture: Picture) -> Picture:
    return np.clip(picture * 1.1, 0, 255).astype(np.uint8)


def cropped(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    return picture[height // 40 : height - height // 40, width // 40 : width - width // 40]


def saved_again(picture: Picture) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file).convert("RGB"))
