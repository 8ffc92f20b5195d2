"""Agreement: how many of a model's answers a person gave, too, who had not seen them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from espalier_ontology import rules
from espalier_ontology.answers import WHOLE, Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Ontology

from .proportion import Interval, wilson


@dataclass(frozen=True)
class Agreement:
    """Of `answers` that could be judged, on `frames` in all, `right` frames carry what the person said."""

    answers: int = 0
    frames: int = 0
    right: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(self.answers + other.answers, self.frames + other.frames, self.right + other.right)

    @property
    def precision(self) -> float:
        """Share of the frames that is right; 0 where nothing could be judged."""
        return self.right / self.frames if self.frames else 0.0

    @property
    def interval(self) -> Interval:
        """Wilson's, 95 %, of as many trials as there are answers: neighbouring frames of one are hardly two."""
        return wilson(self.precision * self.answers, self.answers)


def agreement(ontology: Ontology, predicted: Sequence[Answer], told: Sequence[Answer]) -> Mapping[str, Agreement]:
    """By classification, of one media (or several of one task).

    An answer is right on the frames where the person gave it, or an option below it. Where the person's answers do not
    even ask the question, it is wrong. Where they ask a question that takes one option and the person left it open,
    nothing can be said; where it takes several, what the person did not give does not hold.
    """
    asked = rules.asked(ontology, told)
    found: dict[str, Agreement] = {}
    for answer in predicted:
        if answer.classification in ontology:
            classification = ontology.classification(answer.classification)
            one = _of_answer(classification, answer, told, asked[answer.classification])
            found[answer.classification] = found.get(answer.classification, Agreement()) + one
    return found


def _of_answer(classification: Classification, answer: Answer, told: Sequence[Answer], asked: Frames) -> Agreement:
    if classification.scope == "media":  # one decision, however long the media is
        return _compared(classification, answer.on(WHOLE), [one.on(WHOLE) for one in told], WHOLE if asked else asked)
    return _compared(classification, answer, told, asked)


def _compared(classification: Classification, answer: Answer, told: Sequence[Answer], asked: Frames) -> Agreement:
    own = [one for one in told if one.classification == answer.classification]
    if classification.per_region and answer.under is not None:
        own = [one for one in own if one.under in (None, answer.under)]
    depth = len(answer.option)
    holds = _all_frames([one for one in own if one.option[:depth] == answer.option]) & answer.frames
    unasked = answer.frames - asked
    judged = answer.frames & asked
    if classification.exclusive:
        judged &= _all_frames(own)
    frames = len(unasked) + len(judged)
    return Agreement(1 if frames else 0, frames, len(holds & judged))


def _all_frames(answers: Sequence[Answer]) -> Frames:
    return Frames.of(*(span for answer in answers for span in answer.frames.ranges))
