"""An answer: an option given to a classification for some frames, with its source and confidence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .frames import Frames, Range
from .tree import Path

PERSON = "person"
WHOLE = Frames(((0, 1),))
"""The one frame of an image."""


@dataclass(frozen=True)
class Answer:
    """One option of one classification, for some frames.

    confidence is a probability in [0, 1]; a person's is 1. source is `person` or a model version's name.
    under is the timeline label in whose region an attribute stands, for two labels may overlap with different
    attributes; None for everything that is no attribute of a region.
    """

    classification: str
    option: Path
    frames: Frames = WHOLE
    confidence: float = 1.0
    source: str = PERSON
    under: Path | None = None

    def __post_init__(self) -> None:
        if not self.option:
            raise ValueError(f"an answer to {self.classification!r} must name an option")
        if not (math.isfinite(self.confidence) and 0.0 <= self.confidence <= 1.0):
            raise ValueError(f"a confidence must be within [0, 1], got {self.confidence} for {self.classification!r}")

    def on(self, frames: Frames) -> Answer:
        """The same answer for other frames."""
        return replace(self, frames=frames)


def merge(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """The same answers with the frames of equal ones united, in order of first appearance; empty ones are dropped."""
    united: dict[Answer, list[Range]] = {}
    for answer in answers:
        united.setdefault(answer.on(Frames()), []).extend(answer.frames.ranges)
    return tuple(key.on(Frames.of(*ranges)) for key, ranges in united.items() if ranges)
