"""The frames that are shown of a run before it is started."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_pan
from espalier.demo.results import timeline
from espalier.jobs import automated
from espalier.jobs.parameters import RunParameters
from espalier.jobs.progress import Progress
from espalier.jobs.sampled_frames import MOST, evenly, some_of
from espalier.store.frame_ids import FRAME_BITS
from espalier_ontology.frames import Frames


def previewed(home: Any, **parameters: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return automated.preview(home.house, home.key, RunParameters(**parameters), Progress())


@pytest.mark.parametrize(("count", "most", "found"), [(0, 5, []), (3, 5, [0, 1, 2]), (10, 2, [2, 7]), (5, 1, [2])])
def test_some_are_chosen_evenly(count: int, most: int, found: list[int]) -> None:
    assert evenly(count, most) == found


def test_frames_of_several_ranges_are_chosen_evenly() -> None:
    frames = Frames.of((0, 2), (10, 12), (20, 22))
    assert list(some_of(frames, 3)) == [1, 11, 21]
    assert list(some_of(frames, 100)) == list(frames)
    assert list(some_of(Frames(), 3)) == []


def test_pictures_are_shown_with_their_answers(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(60, 40)
    home.train()
    counts, frames = previewed(home, filter="unlabeled", confidence=0.0)
    assert counts["written"] == 20
    assert [one["task"] for one in frames] == list(range(41, 61))
    assert {one["frame"] for one in frames} == {1}
    for one in frames:
        loop, digit = one["answers"]
        assert loop["classification"] == "loop"
        assert digit["classification"] == ("looped digit" if loop["option"] == ["has a loop"] else "open digit")
        assert 0 < loop["confidence"] <= 1
        (shown,) = home.house.records.shown_in(home.key, one["task"])
        assert one["id"] == shown.media.number << FRAME_BITS
    _, unsure = previewed(home, filter="unlabeled", confidence=1.0)
    assert all(not one["answers"] for one in unsure)
    _, many = previewed(home)
    assert len(many) == MOST
    assert many[0]["task"] < 5
    assert many[-1]["task"] > 55


def test_of_a_video_frames_of_the_range_are_shown(home: Any, tmp_path: Any) -> None:
    home.configure(VIDEO_CONFIG)
    shots = write_pan(tmp_path / "pan.mp4")
    home.add_tasks([{"video": str(tmp_path / "pan.mp4")}])
    home.annotate(1, timeline(shots))
    home.train()
    _, frames = previewed(home, first=11, last=60, confidence=0.0)
    numbers = [one["frame"] for one in frames]
    assert len(numbers) == MOST
    assert numbers == sorted(set(numbers))
    assert 11 <= numbers[0] < 14
    assert 57 < numbers[-1] <= 60
    (shown,) = home.house.records.shown_in(home.key, 1)
    assert [one["id"] for one in frames] == [(shown.media.number << FRAME_BITS) + frame - 1 for frame in numbers]
    assert any(one["answers"] for one in frames)
