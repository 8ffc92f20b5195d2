"""Which frames a run looks at, as laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier.jobs.parameters import RunParameters
from espalier.jobs.span import SAMPLES_OF_A_LONG_VIDEO, span_of
from espalier.media.media import Media
from espalier_ontology.frames import Frames
from espalier_ontology.timeline import Timeline
from espalier_ontology.tree import MediaTag


def media(kind: Any, length: int, *, rate: float = 10.0, clock: float = 10.0) -> Media:
    """As it would be opened; no file is touched for a span."""
    items = tuple(f"{n:064x}" for n in range(length)) if kind == "sequence" else ("d" * 64,)
    timeline = Timeline([n / rate for n in range(length)], length / rate, clock) if kind == "video" else None
    return Media(MediaTag("m", kind, "m"), items, length, (None,) * len(items), timeline)


def nothing(_: Frames) -> bool:
    return False


ranges = st.tuples(st.integers(1, 9000), st.one_of(st.none(), st.integers(0, 9000)), st.integers(0, 700)).map(
    lambda drawn: {"first": drawn[0], "last": None if drawn[1] is None else drawn[0] + drawn[1], "stride": drawn[2]}
)


@given(chosen=ranges, length=st.integers(1, 8000), kind=st.sampled_from(["video", "sequence"]))
def test_frames_lie_within_the_media_and_the_range(chosen: dict[str, Any], length: int, kind: str) -> None:
    span = span_of(media(kind, length), RunParameters(**chosen), nothing)
    last = length if chosen["last"] is None else min(chosen["last"], length)
    assert span.within == Frames.of((min(chosen["first"] - 1, last), last))
    assert not span.frames - span.within
    assert not span.within - Frames.of((0, length))
    assert bool(span.frames) == bool(span.within)
    # Each frame that is looked at stands for those up to the next, so none of the range is left out.
    assert span.frames.hold(span.stride, span.within) == span.within


@given(chosen=ranges, length=st.integers(1, 9000))
def test_without_a_stride_a_long_video_is_sampled(chosen: dict[str, Any], length: int) -> None:
    span = span_of(media("video", length), RunParameters(**chosen), nothing)
    if chosen["stride"]:
        assert not span.within or span.stride == chosen["stride"]
    else:
        assert len(span.frames) <= SAMPLES_OF_A_LONG_VIDEO
        assert span.stride == 1 or len(span.within) > SAMPLES_OF_A_LONG_VIDEO


@given(length=st.integers(SAMPLES_OF_A_LONG_VIDEO + 1, 9000))
def test_a_long_video_that_is_embedded_is_looked_at_whole(length: int) -> None:
    assert len(span_of(media("video", length), RunParameters(), lambda frames: True).frames) == length


@given(chosen=ranges)
def test_an_image_is_always_looked_at(chosen: dict[str, Any]) -> None:
    assert span_of(media("image", 1), RunParameters(**chosen), nothing).frames == Frames.of((0, 1))


@given(
    length=st.integers(2, 600),
    rate=st.sampled_from([5.0, 24.0, 29.97, 60.0]),
    clock=st.sampled_from([10.0, 24.0, 30.0]),
    first=st.integers(1, 200),
    more=st.integers(0, 200),
)
def test_numbers_are_those_of_label_studios_clock(
    length: int, rate: float, clock: float, first: int, more: int
) -> None:
    video = media("video", length, rate=rate, clock=clock)
    assert video.timeline is not None
    span = span_of(video, RunParameters(first=first, last=first + more, stride=1), nothing)
    shown = {video.timeline.shown(n) for n in range(first, min(first + more, video.timeline.length) + 1)}
    assert shown <= set(span.within)


@pytest.mark.parametrize("kind", ["video", "sequence"])
def test_past_the_end_there_is_nothing(kind: str) -> None:
    assert not span_of(media(kind, 50), RunParameters(first=51), nothing).frames
