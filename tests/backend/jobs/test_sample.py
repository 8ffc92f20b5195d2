"""A few frames of a project, for an encoder that checks itself on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_pan
from espalier.jobs import house as houses
from espalier.jobs.opening import open_tasks
from espalier.jobs.sample import sample
from espalier.plugins.checked import CheckedEncoder
from espalier.plugins.registry import open_encoder
from espalier.settings import Settings


def media(home: Any) -> list[Any]:
    """Opened as a training opens them."""
    tasks = [(task.id, task.data) for task in home.house.records.tasks(home.key)]
    opened = open_tasks(tasks, home.house.ontology(home.project), home.house.fetcher(home.project))
    return [one for task in opened for one in task.media.values()]


def test_images_give_one_frame_each(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(20, 0)
    assert sample(media(home), (32, 48)).shape == (20, 32, 48, 3)
    assert sample(media(home), (32, 48), count=7).shape == (7, 32, 48, 3)


def test_a_video_gives_frames_from_all_of_it(home: Any, tmp_path: Path) -> None:
    home.configure(VIDEO_CONFIG)
    write_pan(tmp_path / "pan.mp4")
    home.add_tasks([{"video": str(tmp_path / "pan.mp4")}])
    frames = sample(media(home), (24, 32), count=16)
    assert frames.shape == (16, 24, 32, 3)
    assert len({frame.tobytes() for frame in frames}) > 10


def test_unreadable_media_are_left_out(home: Any, tmp_path: Path) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(3, 0)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    home.add_tasks([{"image": str(broken)}], first=100)
    assert len(sample(media(home), (16, 16))) == 3


def test_nothing_gives_nothing() -> None:
    assert sample([], (8, 8)).shape == (0, 8, 8, 3)


def test_int8_is_checked_on_the_projects_own_frames(
    new_home: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for it, a training hands the encoder frames of the project. (classic has no int8, and ignores them.)"""
    given: list[int] = []

    def opened(settings: Settings, *, device: str | None, calibration: Any) -> CheckedEncoder:
        given.append(0 if calibration is None else len(calibration))
        return original(settings, device=device, calibration=calibration)

    original = open_encoder
    monkeypatch.setattr(houses, "open_encoder", opened)
    home = new_home(precision="int8")
    home.configure(IMAGE_CONFIG)
    home.digits(40, 40)
    home.train()
    assert given == [0, 40]


def test_the_configuration_names_the_encoder(new_home: Callable[..., Any]) -> None:
    home = new_home(encoder="timm:no_such_network")
    home.configure(IMAGE_CONFIG.replace('<Choices name="loop"', '<Choices model_encoder="classic" name="loop"'))
    home.digits(20, 20)
    assert home.train().encoder["name"] == "classic"
