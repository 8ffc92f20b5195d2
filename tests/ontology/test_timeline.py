"""Frames and Label Studio's numbers, as they were measured in a browser and as laws."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from espalier_ontology.frames import Frames
from espalier_ontology.timeline import Timeline, frame_rate_of, rate_difference


def constant(rate: float, count: int, configured: float | None = None, start_s: float = 0.0) -> Timeline:
    times = [start_s + index / rate for index in range(count)]
    return Timeline(times, count / rate, configured or rate)


VARIABLE = Timeline([index / 10 for index in range(40)] + [4 + index / 30 for index in range(120)], 239 / 30, 30.0)
"""4 s at 10 frames per second, then 4 s at 30, against a clock of 30."""
NTSC = constant(30000 / 1001, 600, configured=29.97)


@pytest.mark.parametrize(
    ("timeline", "length"),
    [
        pytest.param(constant(25, 250), 250, id="25 fps"),
        pytest.param(constant(25, 250, configured=24.0), 240, id="no frameRate counts 24"),
        pytest.param(constant(25, 250, configured=10.0), 100, id="a rate of 10 from the task data"),
        pytest.param(VARIABLE, 239, id="variable rate"),
        pytest.param(Timeline([0.0], 0.0), 1, id="one picture of no duration"),
    ],
)
def test_label_studio_counts(timeline: Timeline, length: int) -> None:
    assert timeline.length == length


@pytest.mark.parametrize(
    ("timeline", "number", "frame"),
    [
        pytest.param(constant(25, 250), 1, 0, id="first"),
        pytest.param(constant(25, 250), 26, 25, id="26 is one second in"),
        pytest.param(constant(25, 250), 250, 249, id="last"),
        pytest.param(constant(25, 250, configured=24.0), 25, 25, id="wrong rate: 25 is shown at 1.002 s"),
        pytest.param(NTSC, 450, 449, id="29.97 far in"),
        pytest.param(VARIABLE, 1, 0, id="variable: 1"),
        pytest.param(VARIABLE, 3, 0, id="variable: 3 still shows the first"),
        pytest.param(VARIABLE, 4, 1, id="variable: 4 shows 0.1 s"),
        pytest.param(constant(25, 250, start_s=0.5), 1, 0, id="before the first picture"),
        pytest.param(constant(25, 250, start_s=0.5), 13, 0, id="offset: 13 still shows the first"),
        pytest.param(constant(25, 250, start_s=0.5), 26, 12, id="offset: 26 shows 0.98 s"),
    ],
)
def test_label_studio_shows(timeline: Timeline, number: int, frame: int) -> None:
    assert timeline.shown(number) == frame


def test_29_97_is_exact_all_the_way() -> None:
    assert [NTSC.shown(number) for number in range(1, 601)] == list(range(600))


def test_what_is_past_the_reported_duration_has_no_number() -> None:
    late = constant(25, 250, start_s=0.5)
    assert late.to_numbers(Frames.of((237, 250))) == []
    assert late.numbers(236) == (250, 250)


def test_a_range_of_one_frame() -> None:
    timeline = constant(25, 250)
    assert timeline.to_numbers(Frames.at([50])) == [(51, 51)]
    assert timeline.from_numbers(51, 51) == Frames.at([50])


@pytest.mark.parametrize(("start", "end"), [(0, 5), (5, 4), (-1, 1)])
def test_impossible_numbers_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="1 <= start <= end"):
        constant(25, 250).from_numbers(start, end)


def test_frames_between_two_shown_ones_are_included() -> None:
    fast = constant(50, 100, configured=25.0)
    assert fast.from_numbers(1, 1) == Frames.of((0, 2))
    assert fast.to_numbers(Frames.of((0, 2))) == [(1, 1)]
    assert fast.to_numbers(Frames.at([1])) == []


RATES = st.sampled_from([10.0, 15.0, 16.667, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0])
TIMES = st.lists(st.integers(1, 500), min_size=1, max_size=40).map(
    lambda steps: [sum(steps[:index]) / 1000 for index in range(len(steps))]
)


@given(RATES, st.integers(1, 60), st.data())
def test_at_the_files_own_rate_frames_come_back(rate: float, count: int, data: st.DataObject) -> None:
    timeline = constant(rate, count)
    frames = Frames.at(data.draw(st.sets(st.integers(0, count - 1))))
    numbers = timeline.to_numbers(frames)
    assert Frames.of(*(span for one in numbers for span in timeline.from_numbers(*one).ranges)) == frames


@given(TIMES, RATES)
@settings(max_examples=200)
def test_numbers_are_those_that_show_the_frame(times: list[float], rate: float) -> None:
    timeline = Timeline(times, times[-1] + 0.04, rate)
    shown: dict[int, list[int]] = {}
    for number in range(1, timeline.length + 1):
        shown.setdefault(timeline.shown(number), []).append(number)
    for frame in range(len(times)):
        first, last = timeline.numbers(frame)
        assert list(range(first, last + 1)) == shown.get(frame, [])


@given(TIMES, RATES, st.data())
def test_disjoint_frames_have_disjoint_numbers(times: list[float], rate: float, data: st.DataObject) -> None:
    timeline = Timeline(times, times[-1] + 0.04, rate)
    mask = data.draw(st.lists(st.booleans(), min_size=len(times), max_size=len(times)))
    frames = Frames.from_mask(mask)
    numbers = [
        number
        for half in (frames, frames.complement(len(times)))
        for start, end in timeline.to_numbers(half)
        for number in range(start, end + 1)
    ]
    assert sorted(numbers) == list(range(1, timeline.length + 1))


@given(TIMES, st.data())
def test_seconds_come_back(times: list[float], data: st.DataObject) -> None:
    timeline = Timeline(times, times[-1] + 0.5, 25.0)
    frames = Frames.from_mask(data.draw(st.lists(st.booleans(), min_size=len(times), max_size=len(times))))
    spans = timeline.to_seconds(frames)
    assert Frames.of(*(span for one in spans for span in timeline.from_seconds(*one).ranges)) == frames


@pytest.mark.parametrize(
    ("attribute", "data", "rate"),
    [
        pytest.param("25", {}, 25.0, id="a number"),
        pytest.param(None, {}, 24.0, id="missing"),
        pytest.param("0", {}, 24.0, id="zero"),
        pytest.param("fast", {}, 24.0, id="no number"),
        pytest.param("nan", {}, 24.0, id="not a number"),
        pytest.param("0.04", {}, 25.0, id="seconds per frame"),
        pytest.param("$fps", {"fps": 10}, 10.0, id="from the task"),
        pytest.param("$meta.fps", {"meta": {"fps": "29.97"}}, 29.97, id="from inside the task"),
        pytest.param("$fps", {}, 24.0, id="not in the task"),
    ],
)
def test_frame_rate(attribute: str | None, data: dict[str, object], rate: float) -> None:
    assert frame_rate_of(attribute, data) == pytest.approx(rate)


def test_a_wrong_rate_is_said_in_words() -> None:
    assert rate_difference(25, 25.0) is None
    assert rate_difference(25, None) is None
    assert rate_difference(29.97, 30000 / 1001) is None
    assert 'frameRate="29.97"' in (rate_difference(25, 30000 / 1001) or "")
