"""Which frames of a media a run looks at."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from espalier_ontology.frames import Frames

from ..media.media import Media
from .parameters import RunParameters

SAMPLES_OF_A_LONG_VIDEO = 3000


@dataclass(frozen=True)
class Span:
    """within: the range that was asked for. frames: those of it that are looked at, every stride-th."""

    within: Frames
    stride: int

    @property
    def frames(self) -> Frames:
        return self.within.every(self.stride)


def span_of(media: Media, parameters: RunParameters, is_embedded: Callable[[Frames], bool]) -> Span:
    """The range of a run in this media, from Label Studio's 1-based inclusive numbers.

    An image is always looked at. Without a stride, a long video is sampled, unless every frame of it is embedded.
    """
    first, last = parameters.first, parameters.last
    if media.kind == "image":
        return Span(Frames.of((0, 1)), 1)
    if media.timeline is None:
        stop = min(last or media.length, media.length)
        return Span(Frames.of((min(first - 1, stop), stop)), parameters.stride or 1)
    if first > media.timeline.length:
        return Span(Frames(), 1)
    within = media.timeline.from_numbers(first, min(last or media.timeline.length, media.timeline.length))
    if parameters.stride or len(within) <= SAMPLES_OF_A_LONG_VIDEO or is_embedded(within):
        return Span(within, parameters.stride or 1)
    return Span(within, math.ceil(len(within) / SAMPLES_OF_A_LONG_VIDEO))
