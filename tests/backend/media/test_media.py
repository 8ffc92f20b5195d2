"""A task's field becomes frames: counted, timed, with warnings in words, and with pictures even where some fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from espalier.errors import BadMedia
from espalier.media import media as media_module
from espalier.media.fetch import Fetcher
from espalier.media.field import value_of
from espalier.media.media import Media, open_media
from espalier_ontology.frames import Frames
from espalier_ontology.tree import MediaTag

SIZE = (24, 32)
IMAGE = MediaTag("img", "image", "image")
SEQUENCE = MediaTag("seq", "sequence", "images")
VIDEO = MediaTag("v", "video", "video", "25")
Write = Callable[..., Path]


@pytest.fixture
def fetcher(tmp_path: Path, fetcher_for: Callable[..., Fetcher]) -> Fetcher:
    return fetcher_for(media_roots=(tmp_path,), max_megapixels=1)


def picture(path: Path, shade: int) -> str:
    Image.new("RGB", (40, 30), (shade, shade, shade)).save(path)
    return str(path)


def read(media: Media, frames: Frames) -> tuple[dict[int, NDArray[np.uint8]], BadMedia | None]:
    got: dict[int, NDArray[np.uint8]] = {}
    try:
        for numbers, pictures in media.pictures(frames, SIZE):
            assert pictures.shape == (len(numbers), *SIZE, 3)
            got.update(zip(numbers.tolist(), pictures, strict=True))
    except BadMedia as error:
        return got, error
    return got, None


def test_an_image_is_one_frame(tmp_path: Path, fetcher: Fetcher) -> None:
    media = open_media(IMAGE, {"image": picture(tmp_path / "a.png", 80)}, fetcher, task_id=5)
    assert (media.kind, media.length, media.timeline, media.warnings) == ("image", 1, None, [])
    assert media.key(0) == (media.digest, 0)
    got, error = read(media, Frames.of((0, 9)))
    assert error is None
    assert list(got) == [0]
    assert got[0].mean() == 80


def test_a_bad_image_is_named_with_its_task_and_frame(tmp_path: Path, fetcher: Fetcher) -> None:
    (tmp_path / "a.jpg").write_bytes(b"<!doctype html><p>log in")
    media = open_media(IMAGE, {"image": "a.jpg"}, fetcher, task_id=5)
    got, error = read(media, Frames.at([0]))
    assert not got
    assert error is not None
    assert str(error).startswith("task 5, 'image': 'a.jpg' is an HTML page")
    assert error.frames == Frames.at([0])


def test_the_pixel_limit_is_that_of_the_settings(tmp_path: Path, fetcher: Fetcher) -> None:
    Image.new("1", (2000, 1000)).save(tmp_path / "large.png")
    _, error = read(open_media(IMAGE, {"image": "large.png"}, fetcher, task_id=1), Frames.at([0]))
    assert "1 megapixels" in str(error)


@pytest.mark.parametrize(
    ("tag", "data", "words"),
    [
        (IMAGE, {}, "nothing (only no keys at all) under 'image'"),
        (IMAGE, {"img": "x"}, "nothing (only 'img') under 'image'"),
        (IMAGE, {"image": 7}, "'7', which is no link, under 'image'"),
        (IMAGE, {"image": "  "}, "no link"),
        (SEQUENCE, {"images": []}, "needs a list of links"),
        (SEQUENCE, {"images": {"a": 1}}, "needs a list of links"),
        (VIDEO, {"video": None}, "nothing (only 'video') under 'video'"),
    ],
)
def test_a_field_that_is_not_there_is_named(
    tag: MediaTag, data: dict[str, object], words: str, fetcher: Fetcher
) -> None:
    with pytest.raises(BadMedia) as refused:
        open_media(tag, data, fetcher, task_id=12)
    assert "task 12" in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("a", 1),
        ("b.c", 2),
        ("b.d[1]", 4),
        ("b.d[1].x", None),
        ("e[0].url", 5),
        ("b.d[9]", None),
        ("x.y", 6),
        ("z", None),
    ],
)  # fmt: skip
def test_values_lie_under_dotted_paths(field: str, value: object) -> None:
    data: dict[str, object] = {"a": 1, "b": {"c": 2, "d": [3, 4]}, "e": [{"url": 5}], "x.y": 6}
    assert value_of(data, field) == value


def test_a_sequence_gives_its_items_and_tells_of_the_others(tmp_path: Path, fetcher: Fetcher) -> None:
    links: list[Any] = [picture(tmp_path / f"{number}.png", number * 6) for number in range(40)]
    (tmp_path / "3.png").write_bytes(b"broken")
    links[5] = "not-there.png"
    links[6] = None
    links[7] = {"url": links[7]}
    media = open_media(SEQUENCE, {"images": links}, fetcher, task_id=9)
    assert media.length == 40
    assert len(set(media.items)) == 40
    assert media.key(8) == (media.items[8], 0)
    assert [warning.split(":")[1] for warning in media.warnings] == [" item 6", " item 7"]
    got, error = read(media, Frames.of((0, 99)))
    assert list(got) == [number for number in range(40) if number not in {3, 5, 6}]
    assert all(abs(got[number].mean() - number * 6) < 1 for number in (0, 7, 20))
    assert error is not None
    assert error.frames == Frames.at([3, 5, 6])
    assert f"task 9, 'images': item 4: '{tmp_path}/3.png' is not" in str(error)
    assert "(and 2 more items)" in str(error)
    assert media.digest == open_media(SEQUENCE, {"images": links}, fetcher, task_id=9).digest


def test_a_sequence_of_which_nothing_is_there_is_refused(fetcher: Fetcher) -> None:
    with pytest.raises(BadMedia, match=r"none of its 2 items can be had; the first: 'a\.png'"):
        open_media(SEQUENCE, {"images": ["a.png", "b.png"]}, fetcher, task_id=9)


def test_a_video_has_a_timeline_and_frames(
    tmp_path: Path, fetcher: Fetcher, write_video: Write, number_in: Callable[[NDArray[np.uint8]], int]
) -> None:
    write_video(tmp_path / "a.mp4", 60)
    media = open_media(VIDEO, {"video": "a.mp4"}, fetcher, task_id=3)
    assert media.length == 60
    assert media.timeline is not None
    assert media.timeline.length == 60
    assert media.timeline.frame_rate == 25
    assert media.warnings == []
    assert media.key(7) == (media.digest, 7)
    got, error = read(media, Frames.of((10, 20), (58, 99)))
    assert error is None
    assert [number_in(frame) for frame in got.values()] == list(got) == [*range(10, 20), 58, 59]


def test_a_video_is_indexed_once(
    tmp_path: Path, fetcher: Fetcher, write_video: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(tmp_path / "a.mp4", 60)
    first = open_media(VIDEO, {"video": "a.mp4"}, fetcher, task_id=3)

    def never(path: Path) -> Any:
        raise AssertionError(f"indexed {path} again")

    monkeypatch.setattr(media_module, "index_video", never)
    assert open_media(VIDEO, {"video": "a.mp4"}, fetcher, task_id=4).timeline == first.timeline
    kept = next(fetcher.cache.directory.glob("*/*.npz"))
    kept.write_bytes(b"from another age")
    monkeypatch.undo()
    assert open_media(VIDEO, {"video": "a.mp4"}, fetcher, task_id=4).timeline == first.timeline


def warnings_of(fetcher: Fetcher, name: str, data: dict[str, object], rate: str | None = "25") -> str:
    return " | ".join(
        open_media(MediaTag("v", "video", "video", rate), {"video": name, **data}, fetcher, task_id=3).warnings
    )


def test_what_label_studio_will_show_differently_is_said(
    tmp_path: Path, fetcher: Fetcher, write_video: Write, shared: Callable[[str], Path]
) -> None:
    write_video(tmp_path / "a.mp4", 30)
    assert "frameRate is 24" in warnings_of(fetcher, "a.mp4", {}, None)
    assert warnings_of(fetcher, "a.mp4", {"fps": 25}, "$fps") == ""
    assert "frameRate is 10" in warnings_of(fetcher, "a.mp4", {"fps": 10}, "$fps")
    write_video(tmp_path / "late.mp4", 50, first=25)
    assert "Label Studio cannot reach its last 1 s" in warnings_of(fetcher, "late.mp4", {})
    write_video(tmp_path / "old.avi", 30, codec="mpeg4")
    assert "MPEG-4 part 2, which many browsers do not play" in warnings_of(fetcher, "old.avi", {})
    (tmp_path / "cut.mp4").write_bytes((shared("data/bad") / "conveyor_cut_60pct.mp4").read_bytes())
    assert "promises 101 frames and 54 are there" in warnings_of(fetcher, "cut.mp4", {}, "16.667")


def test_a_damaged_video_gives_what_it_has_and_names_the_task(
    tmp_path: Path, fetcher: Fetcher, shared: Callable[[str], Path]
) -> None:
    (tmp_path / "cut.mp4").write_bytes((shared("data/bad") / "conveyor_cut_60pct.mp4").read_bytes())
    media = open_media(VIDEO, {"video": "cut.mp4"}, fetcher, task_id=8)
    got, error = read(media, Frames.of((0, media.length)))
    assert len(got) == 53
    assert error is not None
    assert error.frames == Frames.at([53])
    assert str(error).startswith("task 8, 'video': ")


def test_no_video_at_all_is_refused_with_the_task(tmp_path: Path, fetcher: Fetcher) -> None:
    picture(tmp_path / "a.jpg", 9)
    (tmp_path / "a.jpg").rename(tmp_path / "a.mp4")
    with pytest.raises(BadMedia, match=r"task 8, 'video': 'a\.mp4' is a JPEG picture, not a video"):
        open_media(VIDEO, {"video": "a.mp4"}, fetcher, task_id=8)
