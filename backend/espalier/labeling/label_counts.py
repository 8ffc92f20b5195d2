"""Label counts: what there is to learn from, before anything is started."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Classification, Ontology, Path, Siblings

from ..learning.parts import PARTS, Part
from ..learning.questions import Key, LeftOut, Lesson, Question
from ..learning.training_parameters import TrainingParameters


@dataclass(frozen=True)
class OptionCounts:
    """One option: the media and frames on which it holds, and those on which people said that it does not."""

    path: Path
    media: int = 0
    frames: int = 0
    media_without: int = 0
    frames_without: int = 0
    parts: Mapping[Part, int] = field(default_factory=dict)
    """Media on which it holds, in each part that a person chose; empty where chance deals."""

    @property
    def name(self) -> str:
        return self.path[-1]


@dataclass(frozen=True)
class QuestionCounts:
    """One sibling set. per_frame: its images are frames of videos or sequences, and are counted as such."""

    classification: str
    parent: Path
    exclusive: bool
    per_frame: bool
    options: tuple[OptionCounts, ...]
    media: int = 0
    frames: int = 0
    background: int = 0
    """Frames that show none of the options of a single choice."""
    reason: str = ""
    """Why nothing is learned of it; empty where something is."""

    @property
    def name(self) -> str:
        return " / ".join((self.classification, *self.parent))

    def images(self, option: OptionCounts) -> int:
        """What counts as one example: a frame where frames are labeled one by one, else a media."""
        return option.frames if self.per_frame else option.media


@dataclass(frozen=True)
class LabelCounts:
    """Every question of the ontology, in its order. warnings (of `label_warnings`) and left_out: sentences."""

    questions: tuple[QuestionCounts, ...]
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def count(
    ontology: Ontology,
    lesson: Lesson,
    parameters: TrainingParameters,
    part_of: Mapping[str, Part] | None = None,
) -> LabelCounts:
    """What training would see. part_of: the part of each media, by the questions' names, where a person chose it."""
    asked = {question.key: question for question in lesson.questions}
    counts = [
        _question(
            classification, siblings, asked.get((classification.name, siblings.parent)), parameters, part_of or {}
        )
        for classification in ontology
        for siblings in classification.siblings()
    ]
    return LabelCounts(tuple(counts), left_out=tuple(map(_sentence, lesson.left_out)))


def _question(
    classification: Classification,
    siblings: Siblings,
    question: Question | None,
    parameters: TrainingParameters,
    part_of: Mapping[str, Part],
) -> QuestionCounts:
    key: Key = (classification.name, siblings.parent)
    per_frame = classification.scope != "media"
    if question is None:
        reason = "nobody has answered it yet" if parameters.learns(classification) else "left out by choice"
        options = tuple(map(OptionCounts, siblings.options))
        return QuestionCounts(*key, classification.exclusive, per_frame, options, reason=reason)
    names, media = np.unique(question.media, return_inverse=True)
    parts = np.array([PARTS.index(part_of[name]) if name in part_of else -1 for name in names.tolist()], np.int64)
    holds = question.holds
    counted = [
        _option(path, holds[:, i], question.mask[:, i] & ~holds[:, i], media, parts)
        for i, path in enumerate(question.options)
    ]
    background = int((~holds.any(axis=1)).sum()) if question.exclusive else 0
    reason = _too_little(question, holds)
    return QuestionCounts(
        *key, question.exclusive, per_frame, tuple(counted), len(names), len(question), background, reason
    )


def _option(
    path: Path, holds: NDArray[np.bool_], not_so: NDArray[np.bool_], media: NDArray[np.int64], parts: NDArray[np.int64]
) -> OptionCounts:
    showing = np.unique(media[holds])
    chosen = np.bincount(parts[showing][parts[showing] >= 0], minlength=len(PARTS))
    return OptionCounts(
        path,
        len(showing),
        int(holds.sum()),
        len(np.unique(media[not_so])),
        int(not_so.sum()),
        dict(zip(PARTS, chosen.tolist(), strict=True)) if (parts >= 0).any() else {},
    )


def _too_little(question: Question, holds: NDArray[np.bool_]) -> str:
    """Why nothing can be learned, or an empty string."""
    seen = holds.any(axis=0)
    names = ", ".join(question.options[i][-1] for i in np.flatnonzero(seen))
    if question.exclusive:
        if seen.sum() + question.background >= 2:
            return ""
        return f"only {names or 'background'} is answered: answer a second option, or name a background"
    if (seen & (question.mask & ~holds).any(axis=0)).any():
        return ""
    return f"wherever it is answered the same options hold ({names or 'none'}): answer frames on which they do not"


def _sentence(left_out: LeftOut) -> str:
    where = " / ".join((left_out.classification, *left_out.parent))
    return f"{where}: {left_out.frames} frames, {left_out.reason}"
