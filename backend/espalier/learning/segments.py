"""Segments: stretches of frames over which one person's answer to one question stays the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Ids

Options = frozenset[int]


class Segment(NamedTuple):
    """Frames [start, stop) on which these options hold; nothing is said of the masked ones."""

    start: int
    stop: int
    holds: Options
    masked: Options = frozenset()

    @property
    def frames(self) -> int:
        return self.stop - self.start


def sweep(frames: Mapping[int, Frames]) -> list[Segment]:
    """The segments in which at least one option holds, in order."""
    spans = list(frames.values())
    if all(span.ranges == spans[0].ranges for span in spans[1:]):
        return [Segment(start, stop, frozenset(frames)) for start, stop in spans[0].ranges] if spans else []
    edges = [
        (at, opens, option)
        for option, span in frames.items()
        for start, stop in span.ranges
        for at, opens in ((start, True), (stop, False))
    ]
    edges.sort()
    segments: list[Segment] = []
    holding: set[int] = set()
    previous = 0
    for at, opens, option in edges:
        if holding and at > previous:
            segments.append(Segment(previous, at, frozenset(holding)))
        previous = at
        if opens:
            holding.add(option)
        else:
            holding.discard(option)
    return segments


def negatives(covered: Sequence[Segment], within: Frames) -> list[Segment]:
    """The covered segments, and between them those of `within` on which no option holds, in order."""
    said = Frames.of(*((segment.start, segment.stop) for segment in covered))
    empty = [Segment(start, stop, frozenset()) for start, stop in (within - said).ranges]
    return sorted([*covered, *empty])


def agree(annotations: Sequence[tuple[bool, Sequence[Segment]]], *, exclusive: bool) -> tuple[list[Segment], int]:
    """What several people say together, and on how many frames they differ.

    Each annotation is whether it is ground truth, and its segments in order. Ground truth silences the others where it
    speaks. Where people differ, an exclusive answer is dropped; of independent options those they differ on are masked.
    """
    if len(annotations) == 1:
        return list(annotations[0][1]), 0
    edges = sorted({edge for _, segments in annotations for segment in segments for edge in segment[:2]})
    at = [0] * len(annotations)
    agreed: list[Segment] = []
    differing = 0
    for start, stop in pairwise(edges):
        said: list[tuple[bool, Segment]] = []
        for i, (truth, segments) in enumerate(annotations):
            while at[i] < len(segments) and segments[at[i]].stop <= start:
                at[i] += 1
            if at[i] < len(segments) and segments[at[i]].start <= start:
                said.append((truth, segments[at[i]]))
        if any(truth for truth, _ in said):
            said = [(truth, segment) for truth, segment in said if truth]
        if not said:
            continue
        everyone = frozenset.intersection(*(segment.holds for _, segment in said))
        anyone = frozenset.union(*(segment.holds for _, segment in said))
        if everyone != anyone:
            differing += stop - start
            if exclusive:
                continue
        agreed.append(Segment(start, stop, everyone, anyone - everyone))
    return agreed, differing


def choose(segments: Sequence[Segment], most: int) -> list[Ids]:
    """The frame numbers to learn from in each segment, at most about `most` in all.

    Short segments are kept whole before long ones are thinned, so that a rare label loses nothing; thinned segments
    keep their first and last frame, where labels change, and are sampled evenly between.
    """
    if sum(segment.frames for segment in segments) <= most:
        return [np.arange(segment.start, segment.stop) for segment in segments]
    sizes = np.array([segment.frames for segment in segments], np.int64)
    if len(segments) * 2 > most:  # more changes than frames to spend: sample evenly over everything
        keep = np.unique(np.linspace(0, sizes.sum() - 1, most).round().astype(np.int64))
        ends = np.cumsum(sizes)
        return [
            segment.start + keep[(keep >= end - size) & (keep < end)] - (end - size)
            for segment, size, end in zip(segments, sizes, ends, strict=True)
        ]
    left, share = most, most
    for rank, size in enumerate(np.sort(sizes)):
        share = left // (len(sizes) - rank)
        if size >= share:
            break
        left -= int(size)
    return [
        np.unique(np.linspace(segment.start, segment.stop - 1, min(segment.frames, max(2, share))).round()).astype(
            np.int64
        )
        for segment in segments
    ]
