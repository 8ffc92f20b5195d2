"""Where each classification is asked, given the answers to its parents.

A gate never looks further than one step: it is told the answers to a classification only after that one's own gate,
so an answer that holds here has its whole chain of parents behind it.
"""

from __future__ import annotations

from collections.abc import Iterable

from .answers import Answer
from .frames import Frames, Range
from .tree import Classification, Condition, Ontology, Path

EVERYWHERE = Frames(((0, 1 << 62),))
"""Every frame of any media: where a classification without conditions is asked."""


class Gates:
    """Takes the answers to one classification after the other, parents first.

    unanswered_counts: whether `choice-unselected` also holds where the parent has no answer at all. It does in
    Label Studio; but nothing is predicted there, for nobody has answered the parent.
    """

    def __init__(self, ontology: Ontology, *, unanswered_counts: bool = False) -> None:
        self._ontology = ontology
        self._unanswered_counts = unanswered_counts
        self._answers: dict[str, tuple[Answer, ...]] = {}
        self._met: dict[tuple[Condition, str, str, Path | None], Frames] = {}

    def settle(self, name: str, answers: Iterable[Answer]) -> None:
        """The answers to this classification that hold; they have passed its own gate."""
        self._answers[name] = tuple(answers)

    def labels(self, attribute: Classification) -> dict[Path, Frames]:
        """The labels in whose regions this attribute may stand, and where each of them holds, in their own order."""
        found: dict[Path, list[Range]] = {}
        permitted = self._ontology.labels(attribute.name)
        for timeline in permitted:
            for answer in self._answers.get(timeline, ()):
                if answer.option in permitted[timeline]:
                    found.setdefault(answer.option, []).extend(answer.frames.ranges)
        return {label: Frames.of(*found[label]) for label in sorted(found)}

    def asked(self, classification: Classification, under: Path | None = None) -> Frames:
        """The frames on which all conditions hold. under: the label in whose regions an attribute is asked."""
        asked = EVERYWHERE
        if classification.per_region:
            asked = self.labels(classification).get(under or (), Frames())
        for condition in classification.conditions:
            asked &= self._where(condition, classification, under)
        return asked

    def _where(self, condition: Condition, asked: Classification, under: Path | None) -> Frames:
        key = (condition, asked.media, asked.scope, under)
        if key not in self._met:
            answered: list[Range] = []
            holding: list[Range] = []
            for name in condition.names:
                parent = self._ontology.classification(name)
                for answer in self._answers.get(name, ()):
                    if not asked.per_region or _same_region(parent, answer, under):
                        frames = spread(parent, asked, answer.frames)
                        answered += frames.ranges
                        if condition.options is None or answer.option in condition.options:
                            holding += frames.ranges
            where = Frames.of(*holding)
            if condition.negated:
                where = (EVERYWHERE if self._unanswered_counts else Frames.of(*answered)) - where
            self._met[key] = where
        return self._met[key]


def spread(parent: Classification, child: Classification, frames: Frames) -> Frames:
    """The frames of the child's media for which an answer to the parent speaks.

    An answer about a whole media speaks for each of its frames; where the child asks about a whole media, or another
    one, any frame of the parent's counts.
    """
    if child.scope == "media" or parent.scope == "media" or parent.media != child.media:
        return EVERYWHERE if frames else frames
    return frames


def _same_region(parent: Classification, answer: Answer, under: Path | None) -> bool:
    if parent.kind == "timeline":
        return answer.option == under
    return not parent.per_region or answer.under == under
