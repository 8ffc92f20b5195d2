"""An answer: an option given to a classification for some frames, with its source and confidence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .frames import Frames
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
        if frames is self.frames:
            return self
        return Answer(self.classification, self.option, frames, self.confidence, self.source, self.under)


def merge(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """The same answers with the frames of equal ones united, in order of first appearance; empty ones are dropped."""
    united: dict[tuple[str, Path, float, str, Path | None], list[Answer]] = {}
    for answer in answers:
        equal = (answer.classification, answer.option, answer.confidence, answer.source, answer.under)
        united.setdefault(equal, []).append(answer)
    # Nearly always there is one of a kind, and thousands of pictures pass here.
    merged = (together[0] if len(together) == 1 else _as_one(together) for together in united.values())
    return tuple(answer for answer in merged if answer.frames)


def _as_one(equal: list[Answer]) -> Answer:
    return equal[0].on(Frames.of(*(span for answer in equal for span in answer.frames.ranges)))
