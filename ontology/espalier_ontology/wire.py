"""What reading and writing Label Studio's results share: its words for types, and where a media begins and ends."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeGuard

from .answers import WHOLE
from .frames import Frames
from .timeline import Timeline
from .tree import Classification

RESULT_TYPES: Mapping[str, str] = {
    "Choices": "choices",
    "Taxonomy": "taxonomy",
    "TimelineLabels": "timelinelabels",
}
"""By control tag; the value's key has the same name."""

_LONGEST = 1 << 31
"""Frames; a year of video at 60 per second has fewer."""


def extent_of(classification: Classification, timelines: Mapping[str, Timeline], lengths: Mapping[str, int]) -> Frames:
    """All frames of a classification's media; one where its length is not known."""
    timeline = timelines.get(classification.media)
    length = lengths.get(classification.media, len(timeline.times_s) if timeline else 1)
    return Frames.of((0, length)) or WHOLE


def is_whole(number: object) -> TypeGuard[float]:
    """Whether a JSON number counts something: 5 and 5.0 do, 5.5 and true do not."""
    if isinstance(number, float):
        return math.isfinite(number) and number == int(number)
    return isinstance(number, int) and not isinstance(number, bool)


def numbers_to_frames(start: int, end: int, timeline: Timeline | None, length: int | None) -> Frames:
    """The frames of a 1-based inclusive range; without a timeline each number is the frame of its own place."""
    if timeline is not None:
        end = min(end, timeline.length)
        return timeline.from_numbers(start, end) if start <= end else Frames()
    return Frames.of((start - 1, end)) & Frames.of((0, _LONGEST if length is None else length))


def frames_to_numbers(frames: Frames, timeline: Timeline | None) -> list[tuple[int, int]]:
    """The 1-based inclusive ranges in which these frames are shown."""
    if timeline is not None:
        return timeline.to_numbers(frames)
    return [(start + 1, stop) for start, stop in frames.ranges]
