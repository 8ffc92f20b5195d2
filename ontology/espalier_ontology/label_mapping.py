"""Label mappings: what the options of yesterday's answers are called today.

An annotation in Label Studio is never changed. A mapping is applied when answers are read: first under a tree that
still knows the old names (`old_names.with_old_names`), then by `apply`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

from .answers import Answer
from .frames import Frames
from .tree import Ontology, Option, Path

MappingKind = Literal["rename", "merge", "split", "retire"]

_EXPECTED = {
    "rename": "one new option",
    "merge": "one new option",
    "split": "two or more new options",
    "retire": "no new option",
}


@dataclass(frozen=True)
class LabelMapping:
    """What an answer of option `old`, or below it, means since `created_at`.

    rename, merge: the one option of `new`, with everything below it. split: one of several; which, somebody must say.
    retire: nothing any more. A merge of several options is one mapping for each. Raises ValueError, in words, for
    options that cannot be mapped so.
    """

    kind: MappingKind
    classification: str
    old: Path
    new: tuple[Path, ...] = ()
    created_at: datetime | None = None
    from_version: str | None = None
    """The model version that served when it was made."""
    id: str = ""
    options: tuple[Option, ...] = field(default=(), compare=False)
    """The old option and those below it, as a configuration had them, for their aliases; empty where nobody knows."""

    def __post_init__(self) -> None:
        here = f"a {self.kind} of {self.shown(self.old)!r}"
        if not self.old or not all(self.new):
            raise ValueError(f"a {self.kind} in {self.classification!r} must name options, got an empty one")
        count = len(set(self.new))
        if count != len(self.new) or (min(count, 2) != {"retire": 0, "split": 2}.get(self.kind, 1)):
            raise ValueError(f"{here} takes {_EXPECTED[self.kind]}, got {len(self.new)}")
        for path in self.new:
            if is_below(path, self.old) and not (self.kind == "split" and path == self.old):
                raise ValueError(f"{here} to {self.shown(path)!r} would go round in a circle")

    def shown(self, path: Path) -> str:
        """Kind/Car, for people."""
        return "/".join((self.classification, *path))

    def __str__(self) -> str:
        new = ", ".join(self.shown(path) for path in self.new)
        return f"{self.kind} {self.shown(self.old)}" + (f" = {new}" if new else "")

    def holds(self, ontology: Ontology, answered_at: datetime | None) -> bool:
        """Whether an answer of that time is read by this mapping; None is long ago.

        A later answer means what it says where the name was given anew: an option renamed and made again, or the one
        that kept its name in a split.
        """
        if self.created_at is None or answered_at is None or answered_at <= self.created_at:
            return True
        if self.kind == "split":
            return self.old not in self.new
        if self.kind == "rename" and self.classification in ontology:
            return ontology.classification(self.classification).option(self.old) is None
        return True


class LookAgain(NamedTuple):
    """An answer, as it was given, of which only a person can say what it means now: one of `mapping.new`."""

    answer: Answer
    mapping: LabelMapping


def is_below(path: Path, above: Path) -> bool:
    """Whether a path is `above` itself or lies below it."""
    return path[: len(above)] == above


def in_order(mappings: Iterable[LabelMapping]) -> list[LabelMapping]:
    """By date, those without one first and otherwise as given: a to b, then b to c."""
    return sorted(mappings, key=lambda one: one.created_at.timestamp() if one.created_at else float("-inf"))


def apply(
    answers: Iterable[Answer], mappings: Iterable[LabelMapping], ontology: Ontology | None = None
) -> tuple[tuple[Answer, ...], tuple[LookAgain, ...]]:
    """The answers with old names read as new ones, in their order; and those that somebody must look at again.

    Of a split or retired option stays what its answer says of the options above it. An answer that two old options
    become is one, as sure as the surer of them. Attributes move with the timeline label in whose region they stand,
    and go with it; ontology, today's or yesterday's, tells which classifications are timelines, and without it every
    one with answers in the same frames may be. No other answer is made or changed.
    """
    given = [_Read(answer, answer) for answer in answers]
    again: list[LookAgain] = []
    for mapping in in_order(mappings):
        given = list(_mapped(mapping, given, _regions_of(mapping, given, ontology), again))
    if all(read.now is read.then for read in given):
        return tuple(read.now for read in given), tuple(again)
    return tuple(_once(given)), tuple(dict.fromkeys(again))


def check(mapping: LabelMapping, beside: Iterable[LabelMapping]) -> None:
    """Raises ValueError, in words, where this mapping cannot stand beside those that hold already."""
    held = [other for other in beside if other.classification == mapping.classification]
    for other in held:
        if other.old == mapping.old:
            raise ValueError(f"{_named(other)} maps {mapping.shown(mapping.old)!r} already; undo it first")
    pending = [(path, other) for path in mapping.new for other in held if is_below(path, other.old)]
    seen: set[Path] = set()
    while pending:
        path, other = pending.pop()
        for new in other.new:
            on = (*new, *path[len(other.old) :])
            if is_below(on, mapping.old):
                raise ValueError(
                    f"{mapping} would go round in a circle with {_named(other)}; undo that one instead of mapping back"
                )
            if on not in seen:
                seen.add(on)
                pending += [(on, further) for further in held if is_below(on, further.old)]


class _Read(NamedTuple):
    """An answer as it is read by now, and as it was given."""

    now: Answer
    then: Answer
    is_rest: bool = False
    """Whether it is only what the answer says of a parent, for its own option means nothing any more."""


def _regions_of(mapping: LabelMapping, given: Sequence[_Read], ontology: Ontology | None) -> Frames:
    """Where the old option may hold regions with attributes: nowhere, unless it is a timeline's label."""
    name = mapping.classification
    if ontology is not None and not (name in ontology and ontology.classification(name).kind == "timeline"):
        return Frames()
    labels = [read.now for read in given if (read.now.classification, read.now.option) == (name, mapping.old)]
    return Frames.of(*(span for label in labels for span in label.frames.ranges))


def _mapped(mapping: LabelMapping, given: Iterable[_Read], regions: Frames, again: list[LookAgain]) -> Iterator[_Read]:
    old, new = mapping.old, mapping.new
    for read in given:
        now, then, is_rest = read
        if now.classification == mapping.classification and is_below(now.option, old):
            if len(new) == 1:
                yield _Read(replace(now, option=(*new[0], *now.option[len(old) :])), then, is_rest)
                continue
            if mapping.kind == "split":
                again.append(LookAgain(then, mapping))
            if len(old) > 1:
                yield _Read(replace(now, option=old[:-1]), then, is_rest=True)
        elif now.under == old and now.classification != mapping.classification and now.frames & regions:
            if len(new) == 1:
                yield _Read(replace(now, under=new[0]), then, is_rest)
        else:
            yield read


def _once(given: Sequence[_Read]) -> Iterator[Answer]:
    """What two answers say by now is said once, by the surer; what only is left of one, not where others say more."""
    meant: dict[_Where, set[Path]] = {}
    for read in given:
        meant.setdefault(_where(read.now), set()).add(read.then.option)
    told: dict[_Where, Frames] = {where: Frames() for where, old in meant.items() if len(old) > 1}
    more = {where: _more(where, given) for where in {_where(read.now) for read in given if read.is_rest}}
    kept: dict[int, Answer] = {}
    for place in sorted(range(len(given)), key=lambda place: -given[place].now.confidence):
        now = given[place].now
        where = _where(now)
        if given[place].is_rest:
            now = now.on(now.frames - more[where])
        if where in told:
            told[where], now = told[where] | now.frames, now.on(now.frames - told[where])
        kept[place] = now
    yield from (kept[place] for place in range(len(given)) if kept[place].frames)


def _more(where: _Where, given: Iterable[_Read]) -> Frames:
    """The frames on which an answer below this one is given."""
    below = (read.now for read in given if _where(read.now).says_more_than(where))
    return Frames.of(*(span for answer in below for span in answer.frames.ranges))


class _Where(NamedTuple):
    """What an answer is about, but for the frames."""

    classification: str
    under: Path | None
    source: str
    option: Path

    def says_more_than(self, other: _Where) -> bool:
        """Whether this says more than the other."""
        return self[:3] == other[:3] and self.option != other.option and is_below(self.option, other.option)


def _where(answer: Answer) -> _Where:
    return _Where(answer.classification, answer.under, answer.source, answer.option)


def _named(mapping: LabelMapping) -> str:
    return f"the mapping {mapping.id} ({mapping})" if mapping.id else f"the mapping ({mapping})"
