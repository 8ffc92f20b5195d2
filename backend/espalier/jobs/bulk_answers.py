"""What one task is given: labels on frames, made into answers that may stand beside those of people.

Pure: no task, no media, no Label Studio. The rules are those of predictions (`rules.enforce`), and two more: where
people have answered a single choice otherwise, their answer holds; and what they said already is not said again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from espalier_ontology import rules
from espalier_ontology.answers import Answer, merge
from espalier_ontology.frames import Frames, Range
from espalier_ontology.tree import Classification, Ontology, Path

from .bulk_labels import Label

Part = tuple[Sequence[Label], Mapping[str, Frames]]
"""Labels, and the frames that they are given, by media tag."""


@dataclass(frozen=True)
class Refusal:
    """A label that is not given on these frames, and why."""

    label: Label
    frames: Frames
    reason: str


@dataclass(frozen=True)
class Composed:
    """given: the new answers. written: these, with the answers of people that their chains need. said: what people have
    answered like that already. missing: required classifications that are asked on these frames and not answered."""

    given: tuple[Answer, ...] = ()
    written: tuple[Answer, ...] = ()
    said: tuple[Answer, ...] = ()
    refused: tuple[Refusal, ...] = ()
    missing: tuple[rules.Missing, ...] = field(default=())


def compose(
    ontology: Ontology,
    labels: Iterable[Label],
    frames: Mapping[str, Frames],
    people: Sequence[Answer],
    *,
    source: str,
    extents: Mapping[str, Frames],
    with_parents: bool = False,
) -> Composed:
    """The labels on these frames (by media tag), as answers of `source`, with confidence 1.

    extents: all frames of each media, for what is said of a whole media. with_parents: see BulkParameters.
    """
    parts = [(tuple(labels), frames)]
    return compose_parts(ontology, parts, people, source=source, extents=extents, with_parents=with_parents)


def compose_parts(
    ontology: Ontology,
    parts: Sequence[Part],
    people: Sequence[Answer],
    *,
    source: str,
    extents: Mapping[str, Frames],
    with_parents: bool = False,
) -> Composed:
    """As `compose`, where frames of one task are given different labels."""
    wanted: list[Answer] = []
    frames: dict[str, Frames] = {}
    for labels, where in parts:
        for name, path in labels:
            asked = ontology.classification(name)
            wanted += _with_parents(ontology, asked, path, where, people, source, extents, with_parents=with_parents)
        for tag, some in where.items():
            frames[tag] = frames.get(tag, Frames()) | some
    # Who gives labels is a person, too: beside what others answered, a further label opens attributes as theirs do.
    further = [answer for answer in wanted if not ontology.classification(answer.classification).exclusive]
    enforced = rules.enforce(ontology, merge(wanted), people=merge([*people, *further]), extent=frames)
    refused = [
        Refusal((lost.answer.classification, lost.answer.option), lost.answer.frames, _why(lost))
        for lost in enforced.withheld
        if lost.code != "overruled"
    ]
    given: list[Answer] = []
    said = [answer.on(answer.frames & _of_people(ontology, answer, people)[0]) for answer in wanted]
    overruled: list[Refusal] = []
    for answer in (*enforced.answers, *(lost.answer for lost in enforced.withheld if lost.code == "overruled")):
        if answer.source != source:
            continue
        alike, otherwise = _of_people(ontology, answer, people)
        if against := (answer.frames & otherwise) - alike:
            label = answer.classification, answer.option
            overruled.append(Refusal(label, against, f"a person answered {answer.classification!r} otherwise there"))
        given.append(answer.on(answer.frames - alike - otherwise))
    new = merge(given)
    if not new:
        return Composed(said=merge(said), refused=_together([*refused, *overruled]))
    # Once more: without what is said already, no answer of people stands that nothing new depends on.
    further = [answer for answer in new if not ontology.classification(answer.classification).exclusive]
    whole = rules.enforce(ontology, new, people=merge([*people, *further]), extent=frames)
    return Composed(
        tuple(answer for answer in whole.answers if answer.source == source),
        whole.answers,
        merge(said),
        _together([*refused, *overruled]),
        whole.missing,
    )


def _with_parents(
    ontology: Ontology,
    classification: Classification,
    path: Path,
    frames: Mapping[str, Frames],
    people: Sequence[Answer],
    source: str,
    extents: Mapping[str, Frames],
    *,
    with_parents: bool,
) -> list[Answer]:
    """The answer, after those to its parents that may be given along."""
    here = frames.get(classification.media, Frames())
    if classification.scope == "media" and here:
        here = extents.get(classification.media) or here
    given = [Answer(classification.name, path, here, 1.0, source)] if here else []
    for condition in classification.conditions if with_parents else ():
        if condition.negated or condition.options is None or condition.also or len(condition.options) != 1:
            continue
        parent = ontology.classification(condition.classification)
        (opening,) = condition.options
        alike, otherwise = _of_people(ontology, Answer(parent.name, opening, here, 1.0, source), people)
        answered = alike | otherwise
        if parent.scope == "media" and answered:
            continue
        reach = {**frames}
        if parent.media != classification.media and here:
            reach = {parent.media: extents.get(parent.media, Frames())}
        reach[parent.media] = reach.get(parent.media, Frames()) - answered
        given = [
            *_with_parents(ontology, parent, opening, reach, people, source, extents, with_parents=True),
            *given,
        ]
    return given


def _of_people(ontology: Ontology, answer: Answer, people: Iterable[Answer]) -> tuple[Frames, Frames]:
    """The frames on which people say the same (or more exactly), and those on which theirs leaves no room for it."""
    classification = ontology.classification(answer.classification)
    alike: list[Range] = []
    otherwise: list[Range] = []
    for one in people:
        if one.classification != answer.classification:
            continue
        if classification.per_region and answer.under is not None and one.under not in (None, answer.under):
            continue
        frames = answer.frames if classification.scope == "media" and one.frames else one.frames
        if one.option[: len(answer.option)] == answer.option:
            alike += frames.ranges
        elif classification.exclusive and answer.option[: len(one.option)] != one.option:
            otherwise += frames.ranges
    return Frames.of(*alike), Frames.of(*otherwise)


def _why(lost: rules.Withheld) -> str:
    if lost.code == "orphan":
        return f"{lost.reason}: give that too, or let the parents be given along"
    return lost.reason


def _together(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """One for each label and reason."""
    frames: dict[tuple[Label, str], list[Range]] = {}
    for one in refusals:
        frames.setdefault((one.label, one.reason), []).extend(one.frames.ranges)
    return tuple(Refusal(label, Frames.of(*ranges), reason) for (label, reason), ranges in frames.items())
