"""Sets of frames as sorted half-open ranges, and the algebra on them.

A frame is numbered from 0, in the order of presentation. This file knows neither seconds nor Label Studio's frame
numbers: `timeline.py` does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Range = tuple[int, int]
_PAST_ALL = 1 << 63


@dataclass(frozen=True)
class Frames:
    """A set of frame numbers, kept as sorted, disjoint, non-touching half-open ranges `(start, stop)`.

    Build one with `of`, `at` or `from_mask`; the constructor itself takes ranges that are already in normal form
    and raises ValueError for any other.
    """

    ranges: tuple[Range, ...] = ()

    def __post_init__(self) -> None:
        previous_stop = -1
        for start, stop in self.ranges:
            if start < 0 or stop <= start:
                raise ValueError(f"a range must be 0 <= start < stop, got ({start}, {stop})")
            if start <= previous_stop:
                raise ValueError(f"ranges must be sorted and apart, got {self.ranges}; build them with Frames.of")
            previous_stop = stop

    @classmethod
    def of(cls, *ranges: Range) -> Frames:
        """The union of half-open ranges in any order; empty ones (`start == stop`) are left out."""
        merged: list[Range] = []
        for start, stop in sorted(ranges):
            if stop < start:
                raise ValueError(f"a range must not end before it starts, got ({start}, {stop})")
            if stop == start:
                continue
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
            else:
                merged.append((start, stop))
        return cls(tuple(merged))

    @classmethod
    def at(cls, indices: Iterable[int]) -> Frames:
        """The given frame numbers, in any order, repeats allowed."""
        return cls.of(*((index, index + 1) for index in indices))

    @classmethod
    def from_mask(cls, mask: Sequence[bool]) -> Frames:
        """The runs of true values in a per-frame array."""
        ranges: list[Range] = []
        start: int | None = None
        for index, value in enumerate(mask):
            if value and start is None:
                start = index
            elif not value and start is not None:
                ranges.append((start, index))
                start = None
        if start is not None:
            ranges.append((start, len(mask)))
        return cls(tuple(ranges))

    def to_mask(self, length: int) -> list[bool]:
        """A per-frame array of the given length; frames at or past it are left out."""
        mask = [False] * length
        for start, stop in self.ranges:
            stop = min(stop, length)
            if start < stop:
                mask[start:stop] = [True] * (stop - start)
        return mask

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __iter__(self) -> Iterator[int]:
        for start, stop in self.ranges:
            yield from range(start, stop)

    def __contains__(self, index: object) -> bool:
        return isinstance(index, int) and bool(self._overlapping(index, index + 1))

    def _overlapping(self, start: int, stop: int) -> tuple[Range, ...]:
        """The ranges that share a frame with `[start, stop)`, found by bisection."""
        first = bisect_right(self.ranges, (start, _PAST_ALL))
        if first and self.ranges[first - 1][1] > start:
            first -= 1
        return self.ranges[first : bisect_left(self.ranges, (stop, 0))]

    def __or__(self, other: Frames) -> Frames:
        return Frames.of(*self.ranges, *other.ranges)

    def __and__(self, other: Frames) -> Frames:
        if len(other.ranges) < len(self.ranges):
            return other & self
        return Frames(
            tuple(
                (max(start, other_start), min(stop, other_stop))
                for start, stop in self.ranges
                for other_start, other_stop in other._overlapping(start, stop)
            )
        )

    def __sub__(self, other: Frames) -> Frames:
        rest: list[Range] = []
        for start, stop in self.ranges:
            for other_start, other_stop in other._overlapping(start, stop):
                if start < other_start:
                    rest.append((start, other_start))
                start = other_stop
            if start < stop:
                rest.append((start, stop))
        return Frames(tuple(rest))

    def complement(self, length: int) -> Frames:
        """The frames of `[0, length)` that are not in this set."""
        gaps: list[Range] = []
        position = 0
        for start, stop in self.ranges:
            if start >= length:
                break
            if position < start:
                gaps.append((position, start))
            position = stop
        if position < length:
            gaps.append((position, length))
        return Frames(tuple(gaps))

    def every(self, stride: int) -> Frames:
        """Every stride-th frame of each range, counted from the start of that range."""
        if stride < 1:
            raise ValueError(f"a stride must be at least 1, got {stride}")
        if stride == 1:
            return self
        return Frames.at(index for start, stop in self.ranges for index in range(start, stop, stride))

    def hold(self, stride: int, within: Frames) -> Frames:
        """The frames that these samples stand for: each, and up to the `stride - 1` after it, inside `within`."""
        return Frames.of(*((start, stop - 1 + stride) for start, stop in self.ranges)) & within
