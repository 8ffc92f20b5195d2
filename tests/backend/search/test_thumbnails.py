"""Thumbnails: made once, in the frame's own shape, kept on disk within bounds, refused in words."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from espalier.errors import BadRequest
from espalier.jobs.house import House
from espalier.search.asking import ask
from espalier.search.thumbnail_files import ThumbnailFiles
from espalier.settings import Settings
from espalier.store.frame_ids import ids_of

KEY = "7.1700000000"
CONFIG = """<View>
  <Image name="image" value="$image"/>
  <Choices name="weather" toName="image"><Choice value="rain"/><Choice value="sun"/></Choices>
  <Image name="pages" valueList="$pages"/>
  <Choices name="page" toName="pages" perItem="true"><Choice value="text"/><Choice value="plate"/></Choices>
</View>"""
VIDEO = """<View><Video name="video" value="$video"/><TimelineLabels name="shot" toName="video"><Label value="wide"/>
<Label value="close"/></TimelineLabels></View>"""


def written(path: Path, width: int, height: int, colour: tuple[int, int, int]) -> str:
    Image.new("RGB", (width, height), colour).save(path)
    return str(path)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """One task with an image and a sequence of two."""
    made = House(Settings(data_dir=tmp_path / "data", encoder="classic", media_roots=(tmp_path,)))
    made.records.put_project(KEY, id=7, label_config=CONFIG)
    pages = [written(tmp_path / f"{name}.png", 300, 600, (0, 0, 250)) for name in ("a", "b")]
    written(tmp_path / "b.png", 600, 300, (0, 250, 0))
    wide = written(tmp_path / "wide.png", 400, 100, (250, 0, 0))
    made.records.mirror_tasks(KEY, [{"id": 1, "data": {"image": wide, "pages": pages}}])
    return made


def thumbnails(house: House, **request: Any) -> dict[str, Any]:
    return ask(house, house.project(KEY), "thumbnails", request)


def opened(house: House, name: tuple[str, int], size: int) -> Image.Image:
    return Image.open(ThumbnailFiles(house.settings.data_dir).path(*name, size))


def test_a_frame_keeps_its_shape_and_is_never_made_larger(house: House) -> None:
    frames = [{"task": 1}, {"task": 1, "tag": "pages", "frame": 2}]
    told = thumbnails(house, size=160, frames=frames)
    assert told["problems"] == {}
    with opened(house, tuple(told["files"]["1::1"]), 160) as image:
        assert image.size == (160, 40)
        assert np.asarray(image)[20, 80].argmax() == 0  # red
    with opened(house, tuple(told["files"]["1:pages:2"]), 160) as page:
        assert page.size == (160, 80)
        assert np.asarray(page)[40, 80].argmax() == 1  # green
    large = thumbnails(house, size=960, frames=[{"task": 1}])
    with opened(house, tuple(large["files"]["1::1"]), 960) as image:
        assert image.size == (400, 100)


def test_what_is_catalogued_is_found_by_its_id(house: House) -> None:
    named = thumbnails(house, frames=[{"task": 1}, {"task": 1, "tag": "pages", "frame": 2}])["files"]
    numbers = {media.digest: media.number for media in house.records.catalogued(KEY)}
    ids = [int(ids_of(numbers[digest], np.array([frame]))[0]) for digest, frame in named.values()]
    assert list(thumbnails(house, ids=ids)["files"].values()) == list(named.values())


def test_what_is_not_there_is_told(house: House) -> None:
    told = thumbnails(house, ids=[99 << 24], frames=[{"task": 5}, {"task": 1, "tag": "pages", "frame": 3}])
    assert told["files"] == {}
    assert set(told["problems"]) == {str(99 << 24), "5::1", "1:pages:3"}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"size": 161, "ids": [1]}, "size must be one of"),
        ({}, "1 to 500"),
        ({"ids": [0]}, "frame ids"),
        ({"ids": ["1"]}, "frame ids"),
        ({"frames": [{"task": 0}]}, "task"),
        ({"frames": [{"frame": 1}]}, "task"),
        ({"pages": 1}, "not known"),
    ],
)
def test_what_is_wrong_is_refused(house: House, request_: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        thumbnails(house, **request_)


def test_frames_of_a_video(house: House, shared: Callable[[str], Path]) -> None:
    video = shared("data/videos/mmaction_test.mp4")
    filming = House(Settings(data_dir=house.settings.data_dir, encoder="classic", media_roots=(video.parent,)))
    filming.records.put_project(KEY, id=7, label_config=VIDEO)
    filming.records.mirror_tasks(KEY, [{"id": 2, "data": {"video": str(video)}}])
    told = thumbnails(filming, size=96, frames=[{"task": 2, "frame": frame} for frame in (1, 5, 9)])
    assert [frame for _, frame in told["files"].values()] == [0, 4, 8]
    with opened(filming, tuple(told["files"]["2::5"]), 96) as frame:
        assert max(frame.size) == 96


def test_the_oldest_go_where_there_are_too_many(tmp_path: Path) -> None:
    files = ThumbnailFiles(tmp_path, most_bytes=1000)
    for number in range(20):
        files.write(f"{number:02d}ab", 0, 96, bytes(100))
        os.utime(files.path(f"{number:02d}ab", 0, 96), (number, number))
    assert files.prune() == 12
    assert [files.path(f"{number:02d}ab", 0, 96).exists() for number in (0, 11, 12, 19)] == [False, False, True, True]
    assert files.prune() == 0
