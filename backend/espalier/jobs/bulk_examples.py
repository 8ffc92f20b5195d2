"""What bulk labels and people's annotations of one task say together, as it is learned from.

A bulk label is written beside what is there, so each of its annotations says a part. Apart they would contradict each
other: a timeline's unlabeled frames say no, and another annotation labels just these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from espalier_ontology.answers import Answer, merge
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..store.rows import Annotation


@dataclass(frozen=True)
class Told:
    """selected: the frames were chosen one by one, so that nothing is said of the others."""

    annotation: Annotation
    answers: tuple[Answer, ...]
    selected: bool = False


def together(
    ontology: Ontology, told: Iterable[tuple[Annotation, tuple[Answer, ...]]], ours: Mapping[int, datetime]
) -> list[Told]:
    """Each annotation with what bulk labels added to its task; where there is no other one, these as one.

    ours: annotations that bulk labels made, and when; one that was changed since is a person's own.
    """
    theirs: dict[int, list[tuple[Annotation, tuple[Answer, ...]]]] = {}
    given: dict[int, list[tuple[Annotation, tuple[Answer, ...]]]] = {}
    for annotation, answers in told:
        unchanged = annotation.updated_at is not None and ours.get(annotation.id) == annotation.updated_at
        (given if unchanged else theirs).setdefault(annotation.task_id, []).append((annotation, answers))
    found: list[Told] = []
    for task_id in sorted({*theirs, *given}):
        parts = [answers for _, answers in given.get(task_id, ())]
        for annotation, answers in theirs.get(task_id, ()):
            found.append(Told(annotation, _with(ontology, answers, parts)))
        if task_id not in theirs:
            first = given[task_id][0][0]
            found.append(Told(first, _with(ontology, parts[0], parts[1:]), selected=True))
    return found


def _with(ontology: Ontology, answers: tuple[Answer, ...], parts: Iterable[tuple[Answer, ...]]) -> tuple[Answer, ...]:
    """The answers, and those of the parts where they say nothing else to a single choice."""
    for part in parts:
        fitting = [answer.on(answer.frames - _decided(ontology, answer, answers)) for answer in part]
        answers = merge([*answers, *fitting])
    return answers


def _decided(ontology: Ontology, answer: Answer, answers: Iterable[Answer]) -> Frames:
    """The frames on which these answers leave no room for that one."""
    if answer.classification not in ontology or not ontology.classification(answer.classification).exclusive:
        return Frames()
    return Frames.of(
        *(
            span
            for one in answers
            if one.classification == answer.classification and one.option != answer.option and one.under == answer.under
            for span in one.frames.ranges
        )
    )
