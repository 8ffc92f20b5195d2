"""What may be answered together: parents before children, one option where there is only one, whole chains only.

The same rules hold for predictions, bulk labels and imports; nothing leaves without passing them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .answers import WHOLE, Answer, merge
from .contest import contest
from .frames import Frames, Range
from .gates import EVERYWHERE, Gates, spread
from .tree import Classification, Condition, Ontology, Path

Code = Literal[
    "unknown classification", "unknown option", "path not from the root", "orphan", "second option", "not a leaf",
    "out of range", "overruled",
]  # fmt: skip


@dataclass(frozen=True)
class Violation:
    """An answer that breaks a rule, on the frames where it does."""

    code: Code
    answer: Answer
    reason: str


Withheld = Violation
"""An answer of a run that does not leave, on the frames where it does not. `overruled`: a person answered otherwise."""


@dataclass(frozen=True)
class Missing:
    """A required classification that is asked on these frames and has no answer there."""

    classification: str
    frames: Frames


@dataclass(frozen=True)
class Enforced:
    """What leaves, what does not and why, and what is still asked for."""

    answers: tuple[Answer, ...]
    withheld: tuple[Withheld, ...]
    missing: tuple[Missing, ...]


def enforce(
    ontology: Ontology,
    answers: Iterable[Answer],
    *,
    people: Iterable[Answer] = (),
    parents: Literal["run", "people"] = "run",
    extent: Mapping[str, Frames] | None = None,
) -> Enforced:
    """The answers that may leave.

    people: what people answered; where they answered a classification, that decides what is asked below it. A person's
    answer stands in the output where the output has an answer below it, so that every chain is whole.
    parents: `people` keeps a child only where a person answered its parents; `run` also where this run did.
    extent: by media, the frames that the run is about, for `missing`; by default those of any answer given.
    """
    run, told = _by_name(ontology, answers), _by_name(ontology, people)
    withheld: list[Violation] = [_unknown(answer) for name in run if name not in ontology for answer in run[name]]
    gates = Gates(ontology)
    kept: dict[str, list[Answer]] = {}
    said: dict[str, list[Answer]] = {}
    for classification in ontology:
        name = classification.name
        said[name] = _settled(classification, told.get(name, ()), gates, _ignored)
        kept[name] = _settled(classification, run.get(name, ()), gates, withheld.append)
        own = [] if parents == "people" else _outside(classification, kept[name], said[name])
        gates.settle(name, merge([*said[name], *own]))
    for classification in reversed(ontology.classifications):
        if said[classification.name]:
            _let_people_stand(ontology, classification, kept, said[classification.name], withheld.append)
    missing = _missing(ontology, gates, kept, said, _extent(ontology, run, told, extent))
    return Enforced(
        tuple(answer for classification in ontology for answer in _in_order(classification, kept[classification.name])),
        tuple(withheld),
        tuple(missing),
    )


def check(
    ontology: Ontology, answers: Iterable[Answer], *, lengths: Mapping[str, int] | None = None
) -> tuple[Violation, ...]:
    """Every rule that these answers break, taken together. lengths: by media, how many frames it has."""
    given = _by_name(ontology, answers)
    found: list[Violation] = [_unknown(answer) for name in given if name not in ontology for answer in given[name]]
    gates = Gates(ontology, unanswered_counts=True)
    for classification in ontology:
        stated = given.get(classification.name, ())
        length = (lengths or {}).get(classification.media)
        if length is not None:
            found += _out_of_range(stated, length)
        gates.settle(classification.name, _settled(classification, stated, gates, found.append))
    return tuple(found)


def _out_of_range(answers: Iterable[Answer], length: int) -> Iterator[Violation]:
    for answer in answers:
        if outside := answer.frames - Frames.of((0, max(1, length))):
            reason = f"frames go from 0 to {max(1, length) - 1}, got {outside.ranges[-1][1] - 1}"
            yield Violation("out of range", answer.on(outside), reason)


def asked(ontology: Ontology, answers: Iterable[Answer]) -> dict[str, Frames]:
    """By classification, the frames on which these answers let it be asked; for an attribute, under any label.

    A classification without conditions is asked everywhere: meet the result with the frames of the media.
    """
    given = _by_name(ontology, answers)
    gates = Gates(ontology)
    where: dict[str, Frames] = {}
    for classification in ontology:
        gates.settle(classification.name, _settled(classification, given.get(classification.name, ()), gates, _ignored))
        spans = [gates.asked(classification, under) for under in _regions(classification, gates)]
        where[classification.name] = Frames.of(*(span for frames in spans for span in frames.ranges))
    return where


def _by_name(ontology: Ontology, answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    named: dict[str, list[Answer]] = {}
    for answer in merge(answers):
        named.setdefault(answer.classification, []).append(answer)
    return named


def _ignored(violation: Violation) -> None:
    """Nobody asks what a person's answer would have been withheld for."""


def _settled(
    classification: Classification, answers: Iterable[Answer], gates: Gates, lose: Callable[[Violation], None]
) -> list[Answer]:
    """The answers to one classification that hold, given what its parents' gates know; `lose` gets the others."""
    by_region: dict[Path | None, list[Answer]] = {}
    for answer in answers:
        if classification.option(answer.option) is None:
            lose(_unknown_option(classification, answer))
            continue
        for placed in _placed(classification, answer, gates, lose):
            by_region.setdefault(placed.under, []).append(placed)
    kept: list[Answer] = []
    for under, together in by_region.items():
        where = gates.asked(classification, under)
        for answer in together:
            if orphan := answer.frames - where:
                lose(Violation("orphan", answer.on(orphan), asked_where(classification)))
        standing, losing = contest(classification, merge(answer.on(answer.frames & where) for answer in together))
        for answer in losing:
            lose(Violation("second option", answer, "another option holds there, and only one may"))
        for answer in standing:
            if classification.leaves_only and not classification.is_leaf(answer.option):
                lose(Violation("not a leaf", answer, "only options without children may be answered"))
            else:
                kept.append(answer)
    return kept


def _placed(
    classification: Classification, answer: Answer, gates: Gates, lose: Callable[[Violation], None]
) -> Iterable[Answer]:
    """The answer in the regions it may stand in: an attribute under each label that holds, unless it names one."""
    if not classification.per_region:
        return [_under(answer, None)]
    if answer.under is not None:
        return [answer]
    placed = [_under(answer.on(answer.frames & where), label) for label, where in gates.labels(classification).items()]
    covered = Frames.of(*(span for one in placed for span in one.frames.ranges))
    if homeless := answer.frames - covered:
        lose(Violation("orphan", answer.on(homeless), asked_where(classification)))
    return placed


def _under(answer: Answer, under: Path | None) -> Answer:
    if answer.under == under:
        return answer
    return Answer(answer.classification, answer.option, answer.frames, answer.confidence, answer.source, under)


def _regions(classification: Classification, gates: Gates) -> list[Path | None]:
    return list(gates.labels(classification)) if classification.per_region else [None]


def _answered(classification: Classification, answers: Iterable[Answer], under: Path | None) -> Frames:
    """Where any of these answers speaks, for an attribute in the regions of one label."""
    frames = Frames.of(*(span for answer in answers if answer.under == under for span in answer.frames.ranges))
    return EVERYWHERE if frames and classification.scope == "media" else frames


def _outside(classification: Classification, run: Iterable[Answer], said: list[Answer]) -> list[Answer]:
    """A run's answers without the frames on which a person answered the same classification."""
    decided = {under: _answered(classification, said, under) for under in {answer.under for answer in said}}
    return [answer.on(answer.frames - decided.get(answer.under, Frames())) for answer in run]


def _let_people_stand(
    ontology: Ontology,
    classification: Classification,
    kept: dict[str, list[Answer]],
    said: list[Answer],
    lose: Callable[[Violation], None],
) -> None:
    """Puts the person's answers in the run's place wherever an answer below them leaves."""
    needed: dict[Path | None, list[Range]] = {}
    for child in ontology.dependents(classification.name):
        for answer in kept[child.name]:
            under = answer.under if classification.per_region else None
            needed.setdefault(under, []).extend(spread(child, classification, answer.frames).ranges)
    for under, ranges in needed.items():
        here = [answer for answer in said if answer.under == under]
        where = Frames.of(*ranges) & _answered(classification, here, under)
        standing = merge(answer.on(answer.frames & where) for answer in here)
        agreed: dict[Path, list[Range]] = {}
        for answer in standing:
            agreed.setdefault(answer.option, []).extend(
                (EVERYWHERE if classification.scope == "media" else answer.frames).ranges
            )
        rest = [*standing]
        for answer in kept[classification.name]:
            if answer.under == under:
                if against := (answer.frames & where) - Frames.of(*agreed.get(answer.option, ())):
                    lose(Violation("overruled", answer.on(against), "a person answered otherwise"))
                answer = answer.on(answer.frames - where)
            rest.append(answer)
        kept[classification.name] = list(merge(rest))


def _in_order(classification: Classification, answers: Iterable[Answer]) -> list[Answer]:
    place = {option.path: index for index, option in enumerate(classification.options)}
    return sorted(
        merge(answers),
        key=lambda answer: (answer.under or (), place[answer.option], answer.source, -answer.confidence),
    )


def _extent(
    ontology: Ontology,
    run: Mapping[str, list[Answer]],
    told: Mapping[str, list[Answer]],
    extent: Mapping[str, Frames] | None,
) -> dict[str, Frames]:
    spans: dict[str, list[Range]] = {}
    for classification in ontology:
        for answer in (*run.get(classification.name, ()), *told.get(classification.name, ())):
            spans.setdefault(classification.media, []).extend(answer.frames.ranges)
    return {
        media.name: (extent or {}).get(media.name, Frames.of(*spans.get(media.name, WHOLE.ranges)))
        for media in ontology.media
    }


def _missing(
    ontology: Ontology,
    gates: Gates,
    kept: Mapping[str, list[Answer]],
    said: Mapping[str, list[Answer]],
    extent: Mapping[str, Frames],
) -> Iterable[Missing]:
    for classification in ontology:
        if not classification.required:
            continue
        answers = [*kept[classification.name], *said[classification.name]]
        lacking: list[Range] = []
        for under in _regions(classification, gates):
            answered = _answered(classification, answers, under)
            if answered and classification.kind == "timeline":  # one region anywhere is enough
                answered = EVERYWHERE
            lacking += ((gates.asked(classification, under) & extent[classification.media]) - answered).ranges
        if lacking:
            yield Missing(classification.name, Frames.of(*lacking))


def _unknown(answer: Answer) -> Violation:
    return Violation("unknown classification", answer, f"the configuration asks no {answer.classification!r}")


def _unknown_option(classification: Classification, answer: Answer) -> Violation:
    path = answer.option
    for option in classification.options:
        if len(option.path) > len(path) and option.path[-len(path) :] == path:
            reason = f"a path starts at the root: {' / '.join(option.path)}"
            return Violation("path not from the root", answer, reason)
    return Violation("unknown option", answer, f"{classification.name!r} has no option {' / '.join(path)!r}")


def asked_where(classification: Classification) -> str:
    """The conditions of a classification in words."""
    return "asked only where " + " and ".join(_spelled(condition) for condition in classification.conditions)


def _spelled(condition: Condition) -> str:
    names = " or ".join(condition.names)
    if condition.options is None:
        return f"{names} is answered"
    options = " or ".join(" / ".join(path) for path in sorted(condition.options))
    return f"{names} is {'not ' if condition.negated else ''}{options}"
