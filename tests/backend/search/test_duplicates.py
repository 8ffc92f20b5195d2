"""Planted copies are found, whatever was done to them, and the one to keep comes first."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from espalier.errors import BadRequest
from espalier.media.picture import read_picture


def groups(answer: dict[str, Any], kind: str) -> list[list[int]]:
    return [[hit["task"] for hit in group["hits"]] for group in answer["groups"] if group["kind"] == kind]


def saved_again(path: Path, width: int | None = None) -> Image.Image:
    """As a JPEG of low quality; resized, where a width is given."""
    picture = Image.open(path).convert("RGB")
    if width is not None:
        picture = picture.resize((width, round(picture.height * width / picture.width)))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=40)
    return Image.open(file).convert("RGB")


def test_recompressed_and_resized_copies_of_real_pictures_are_found(
    site: Any, shared: Callable[[str], Path], tmp_path: Path
) -> None:
    files = sorted(shared("data/images/clothing10").glob("*/*.jpg"))[::10]
    encoder = site.house.encoder()
    size = encoder.spec.input_size
    copies = {}
    for place in range(0, 40, 4):
        copies[place] = tmp_path / f"{place}.png"
        saved_again(files[place], None if place % 8 else 180).save(copies[place])
    pictures = [read_picture(path, size) for path in [*files, *copies.values()]]
    site.images(encoder.encode(np.stack(pictures)))
    answer = site.ask("duplicates")
    expected = {(place + 1, len(files) + 1 + number) for number, place in enumerate(copies)}
    found = {tuple(sorted(group)) for group in groups(answer, "near") + groups(answer, "exact")}
    print(f"{len(expected & found)} of {len(expected)} planted copies found; {len(found - expected)} groups besides")
    assert len(expected & found) >= 9
    assert len(found - expected) <= 3


def test_the_labeled_one_is_kept_and_different_labels_are_told(site: Any) -> None:
    rows = site.rows(30)
    rows[9] = rows[4]
    rows[20] = rows[19] = rows[2]
    site.images(rows)
    site.label(10, weather="rain")
    answer = site.ask("duplicates")
    first, second = groups(answer, "exact")
    assert sorted(first) == [3, 20, 21]
    assert second == [10, 5]
    assert [group["labels_differ"] for group in answer["groups"]] == [False, False]
    assert answer["redundant"] == 3
    site.label(5, weather="sun")
    assert [group["labels_differ"] for group in site.ask("duplicates")["groups"]] == [False, True]


def test_one_file_in_two_tasks_is_a_duplicate(site: Any) -> None:
    site.show(site.shown(1, "same"), site.shown(2, "same"), site.shown(3, "other"))
    site.embed([("same", 0), ("other", 0)], site.rows(2))
    (group,) = site.ask("duplicates")["groups"]
    assert group["kind"] == "exact"
    assert [(hit["task"], hit["also"]) for hit in group["hits"]] == [(1, [2])]


def test_a_copied_video_is_one_group_and_not_one_of_each_frame(site: Any) -> None:
    first, second = site.rows(2)
    frames = np.array([site.unit(first + 0.02 * row) for row in site.rows(40)])
    site.video(1, frames)
    site.video(2, np.array([site.unit(frame + 0.01 * row) for frame, row in zip(frames, site.rows(40), strict=True)]))
    site.images(site.unit([second, *site.rows(20)]), first=3)
    (group,) = site.ask("duplicates")["groups"]
    assert [(hit["task"], hit["scene"]["first"], hit["scene"]["last"]) for hit in group["hits"]] == [
        (1, 1, 40),
        (2, 1, 40),
    ]


def test_a_cutoff_of_ones_own(site: Any) -> None:
    rows = site.rows(20)
    rows[5] = site.unit(rows[4] + 0.6 * rows[1])
    site.images(rows)
    score = float(rows[5] @ rows[4])
    assert groups(site.ask("duplicates", min_score=score - 0.01), "near") == [[5, 6]]
    assert site.ask("duplicates", min_score=score + 0.01)["groups"] == []
    with pytest.raises(BadRequest, match="min_score must be"):
        site.ask("duplicates", min_score=7)


def test_an_empty_project_has_no_duplicates(site: Any) -> None:
    assert site.ask("duplicates")["groups"] == []
