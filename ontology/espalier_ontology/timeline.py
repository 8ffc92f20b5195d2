"""Frames, seconds and Label Studio's frame numbers: the only file that knows all three.

Label Studio never reads a video's frame rate. It numbers frames 1-based and inclusive on a clock of its own, whose
rate is the `frameRate` of the `Video` tag, and shows for number n the last picture whose presentation time is at or
before (n - 1) / rate + 2 ms. The rule was measured on Label Studio 1.23.2 in Chromium, for constant and variable
frame rates and for files that do not start at zero.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .frames import Frames
from .task_data import value_at

DEFAULT_FRAME_RATE = 24.0
_SEEK_S = 0.002  # Label Studio seeks 2 ms past the frame's time
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Timeline:
    """When each frame of a video is presented, against Label Studio's clock.

    times_s: presentation times in seconds on the container's own clock, ascending, one per frame (an edit-list or
    start-time offset stays in). duration_s: the container's duration, which is what a browser reports.
    frame_rate: the configuration's, in frames per second (`frame_rate_of`).
    """

    times_s: Sequence[float]
    duration_s: float
    frame_rate: float = DEFAULT_FRAME_RATE

    @property
    def length(self) -> int:
        """How many frames Label Studio counts, at least 1."""
        return max(1, math.floor(self.duration_s * self.frame_rate + 0.5))

    def frame_at(self, time_s: float) -> int:
        """The frame on screen at a time: the last one that is presented at or before it, else the first."""
        return max(0, bisect_right(self.times_s, time_s) - 1)

    def shown(self, number: int) -> int:
        """The frame that Label Studio shows for its 1-based frame number."""
        return self.frame_at((number - 1 + _ROUNDING) / self.frame_rate + _SEEK_S)

    def numbers(self, frame: int) -> tuple[int, int]:
        """First and last Label Studio number that show a frame; last < first where none does at this rate."""
        first = 1 if frame == 0 else self._first_number(self.times_s[frame])
        last = self.length if frame + 1 >= len(self.times_s) else self._first_number(self.times_s[frame + 1]) - 1
        return max(1, first), min(self.length, last)

    def _first_number(self, time_s: float) -> int:
        return math.ceil((time_s - _SEEK_S) * self.frame_rate - _ROUNDING) + 1

    def to_numbers(self, frames: Frames) -> list[tuple[int, int]]:
        """Label Studio's 1-based inclusive ranges in which these frames are shown, in order.

        Frames that Label Studio never shows at its rate have no number; a range made of such alone is left out.
        """
        spans = []
        for start, stop in frames.ranges:
            stop = min(stop, len(self.times_s))
            if start >= stop:
                continue
            first, last = self.numbers(start)[0], self.numbers(stop - 1)[1]
            if first <= last:
                spans.append((first, last))
        return spans

    def from_numbers(self, start: int, end: int) -> Frames:
        """The frames that a 1-based inclusive Label Studio range stands for.

        Where the file has more pictures than Label Studio has numbers, those between two shown ones are included.
        """
        if not 1 <= start <= end:
            raise ValueError(f"a Label Studio range must be 1 <= start <= end, got start={start} end={end}")
        if not self.times_s:
            return Frames()
        first, last = self.shown(start), self.shown(end)
        stop = len(self.times_s) if end >= self.length else max(last + 1, self.shown(end + 1))
        return Frames.of((first, stop))

    def to_seconds(self, frames: Frames) -> list[tuple[float, float]]:
        """Half-open spans in seconds during which these frames are on screen."""
        spans = []
        for start, stop in frames.ranges:
            stop = min(stop, len(self.times_s))
            if start < stop:
                end = self.times_s[stop] if stop < len(self.times_s) else max(self.duration_s, self.times_s[-1])
                spans.append((self.times_s[start], end))
        return spans

    def from_seconds(self, start_s: float, end_s: float) -> Frames:
        """The frames presented within a half-open span of seconds."""
        first = bisect_right(self.times_s, start_s - _ROUNDING)
        stop = bisect_right(self.times_s, end_s - _ROUNDING)
        return Frames.of((first, max(first, stop)))


def frame_rate_of(attribute: str | None, data: Mapping[str, object]) -> float:
    """The rate of Label Studio's clock for a task, from the `Video` tag's `frameRate`.

    `$field` is looked up in the task's data. Missing, zero or unreadable means 24; under 1 means seconds per frame.
    """
    raw: object = attribute
    if isinstance(attribute, str) and attribute.startswith("$"):
        raw = value_at(data, attribute)
    try:
        rate = float(raw)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return DEFAULT_FRAME_RATE
    if not math.isfinite(rate) or rate <= 0:
        return DEFAULT_FRAME_RATE
    return 1.0 / rate if rate < 1 else rate


def rate_difference(configured: float, measured: float | None) -> str | None:
    """A sentence for people where the configuration's rate is not the file's, else None."""
    if not measured or abs(configured - measured) <= 0.005 * measured:
        return None
    return (
        f"the configuration's frameRate is {configured:g} and the video's own rate is {measured:.5g}: labels are kept "
        f"by time and stay right, but Label Studio's frame numbers are not the video's; "
        f'set frameRate="{measured:.5g}" on the Video tag, or frameRate="$fps" with the rate in the task data'
    )
