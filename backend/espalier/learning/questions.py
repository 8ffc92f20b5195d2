"""Questions: what one classifier is trained on. One per sibling set of each classification, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from espalier_ontology.answers import Answer
from espalier_ontology.tree import Path

from ..contract import Ids, Mask, Targets
from .parts import Part

Key = tuple[str, Path]
"""A classification's name, and the path of the option whose children are decided among; () at the root."""


@dataclass(frozen=True)
class Annotated:
    """What one person answered about one media. Several people's annotations of a media are several of these."""

    media: str
    """Names the media, so that its embeddings can be found; equal for every annotation of it."""
    group: str
    """Media of one group never stand on both sides of a check; the media's own name where nothing ties it."""
    answers: tuple[Answer, ...]
    """All answers of the annotation; those to other media of the same task serve as conditions."""
    length: int = 1
    """How many frames the media has."""
    ground_truth: bool = False
    """Where a frame has such an answer, only such answers count."""
    tag: str | None = None
    """The media tag, in a task with several: only its classifications are learned from."""
    weight: float = 1.0
    """How much it counts; what counts 0 is not learned from."""
    part: Part | None = None
    """What the media is for, where a person said so."""
    background: bool = False
    """Where nothing is answered, none of the options holds (in classifications that depend on no other)."""
    selected: bool = False
    """The frames were chosen one by one, and so nothing is said of the others, whatever the policy for timelines."""


@dataclass(frozen=True)
class Question:
    """Rows that say something about one sibling set, in the order of media and then frames.

    media str (n,), frames int64 (n,), targets float32 (n, k) of 0 and 1, mask bool (n, k), groups int64 (n,), weights
    float32 (n,), above 0. A masked target means nothing. Every row has something unmasked. exclusive: at most one
    option holds per row, and exactly one where the question has no background.
    """

    classification: str
    parent: Path
    options: tuple[Path, ...]
    exclusive: bool
    media: NDArray[np.str_]
    frames: Ids
    targets: Targets
    mask: Mask
    groups: Ids
    weights: NDArray[np.float32]

    @property
    def key(self) -> Key:
        return self.classification, self.parent

    @property
    def background(self) -> bool:
        """Whether some rows of an exclusive question show none of its options."""
        return self.exclusive and bool((self.mask.all(axis=1) & ~self.holds.any(axis=1)).any())

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Which options people answered, bool (n, k)."""
        return self.mask & (self.targets > 0.5)

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, kept: ArrayLike) -> Question:
        """Only some of the rows: bool (n,), or their numbers."""
        at = np.asarray(kept)
        return replace(
            self,
            media=self.media[at],
            frames=self.frames[at],
            targets=self.targets[at],
            mask=self.mask[at],
            groups=self.groups[at],
            weights=self.weights[at],
        )

    def columns(self, kept: NDArray[np.bool_]) -> Question:
        """Only some of the options, bool (k,), with every row."""
        options = tuple(option for option, keep in zip(self.options, kept, strict=True) if keep)
        return replace(self, options=options, targets=self.targets[:, kept], mask=self.mask[:, kept])

    def counts(self) -> list[tuple[Path, int, int]]:
        """Each option with how many rows say that it holds, and how many that it does not."""
        yes, said = self.holds.sum(axis=0), self.mask.sum(axis=0)
        return [(option, int(yes[i]), int(said[i] - yes[i])) for i, option in enumerate(self.options)]


@dataclass(frozen=True)
class LeftOut:
    """Frames of one question that nothing is learned from, and why."""

    classification: str
    parent: Path
    reason: str
    frames: int


@dataclass(frozen=True)
class Lesson:
    """Everything there is to learn from, and what was left out."""

    questions: tuple[Question, ...]
    left_out: tuple[LeftOut, ...]


def fingerprint(questions: Iterable[Question]) -> str:
    """16 hex digits over everything that training sees of the answers."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(repr((question.key, question.options, question.exclusive)).encode())
        digest.update("\0".join(question.media.tolist()).encode())
        for array in (question.frames, question.targets, question.mask, question.groups, question.weights):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
