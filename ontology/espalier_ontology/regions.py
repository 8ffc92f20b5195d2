"""Answers read from Label Studio's result JSON, and written to it: the one place that knows both.

Label Studio numbers frames from 1 and includes the last one, on the clock of a `Timeline`. A video without a timeline
is taken as if every number showed the frame of its own place. Writing is in `regions_written.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .answers import PERSON, Answer, merge
from .contest import contest
from .frames import Frames, Range
from .gates import Gates
from .regions_written import write
from .rules import asked_where
from .timeline import Timeline
from .tree import Classification, Ontology, Path
from .wire import RESULT_TYPES, extent_of, is_whole, numbers_to_frames

__all__ = ["Problem", "Reading", "read", "write"]


@dataclass(frozen=True)
class Problem:
    """Something in a result that could not be read; the rest was."""

    region: str
    """The result's id, or its place in the list where it has none."""
    control: str
    message: str

    def __str__(self) -> str:
        return f"region {self.region}, {self.control}: {self.message}"


@dataclass(frozen=True)
class Reading:
    """What a result says, and what in it cannot be right."""

    answers: tuple[Answer, ...]
    problems: tuple[Problem, ...]


def read(
    ontology: Ontology,
    result: Iterable[object],
    *,
    timelines: Mapping[str, Timeline] | None = None,
    lengths: Mapping[str, int] | None = None,
    source: str = PERSON,
) -> Reading:
    """The answers in a result, and the problems with it; never raises for what the result holds.

    timelines: by media tag name, for videos. lengths: by media tag name, how many items or frames it has.
    A person's answers have confidence 1; a model's have their `score`, or 1 where there is none. Results of controls
    that the ontology skips are left out without a word.
    """
    reader = _Reader(ontology, dict(timelines or {}), dict(lengths or {}), source)
    items = reader.items(result)
    for item in items:
        if item.classification.kind == "timeline":
            reader.region(item)
    for item in items:
        if item.classification.kind != "timeline":
            reader.answers += reader.answered(item)
    return Reading(reader.whole_chains(), tuple(dict.fromkeys(reader.problems)))


@dataclass(frozen=True)
class _Item:
    """One entry of a result, with its form checked."""

    region: str
    classification: Classification
    value: Mapping[str, object]
    options: tuple[Path, ...]
    confidence: float
    item_index: object
    has_id: bool


@dataclass
class _Region:
    labels: dict[str, set[Path]] = field(default_factory=dict)
    frames: Frames = field(default_factory=Frames)


class _Reader:
    def __init__(
        self, ontology: Ontology, timelines: dict[str, Timeline], lengths: dict[str, int], source: str
    ) -> None:
        self.ontology = ontology
        self.timelines = timelines
        self.lengths = lengths
        self.source = source
        self.answers: list[Answer] = []
        self.problems: list[Problem] = []
        self._regions: dict[str, _Region] = {}
        self._skipped = {skipped.name for skipped in ontology.skipped}

    def items(self, result: Iterable[object]) -> list[_Item]:
        """The entries that answer a classification of this ontology, as far as their form is right."""
        found = []
        entries = result if isinstance(result, (list, tuple)) else [result]
        for place, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                self._problem(f"#{place}", "?", f"must be an object, got {_shown(entry)}")
            elif entry.get("type") != "relation":
                item = self._item(place, entry)
                if item is not None:
                    found.append(item)
        return found

    def _item(self, place: int, entry: Mapping[str, object]) -> _Item | None:
        name, given_id = entry.get("from_name"), entry.get("id")
        region = given_id if isinstance(given_id, str) and given_id else f"#{place}"
        if not isinstance(name, str) or name not in self.ontology:
            if not isinstance(name, str) or name not in self._skipped:
                self._problem(region, _shown(name), "the configuration has no such control (from_name)")
            return None
        classification = self.ontology.classification(name)
        if region != given_id and classification.scope == "range":  # elsewhere Label Studio needs none
            self._problem(region, name, f"id must be a text, got {_shown(given_id)}")
        wanted = RESULT_TYPES[classification.control]
        if entry.get("type") != wanted:
            self._problem(region, name, f"type must be {wanted!r}, got {_shown(entry.get('type'))}")
            return None
        if (to_name := entry.get("to_name")) != classification.media:
            self._problem(region, name, f"to_name must be {classification.media!r}, got {_shown(to_name)}")
            if to_name is not None:
                return None
        value = entry.get("value")
        if not isinstance(value, Mapping):
            self._problem(region, name, f"value must be an object, got {_shown(value)}")
            return None
        confidence = self._confidence(region, name, entry.get("score"))
        options = self._options(region, classification, value.get(wanted))
        if confidence is None or not options:
            return None
        return _Item(region, classification, value, options, confidence, entry.get("item_index"), region == given_id)

    def _confidence(self, region: str, name: str, score: object) -> float | None:
        """None where a model's own score cannot be believed."""
        if score is None:
            return 1.0
        believed = isinstance(score, (int, float)) and not isinstance(score, bool) and 0.0 <= score <= 1.0
        if not believed:
            self._problem(region, name, f"score must be a number within [0, 1], got {_shown(score)}")
        if self.source == PERSON:
            return 1.0
        return float(score) if believed and isinstance(score, (int, float)) else None

    def _options(self, region: str, classification: Classification, given: object) -> tuple[Path, ...]:
        form = "paths, each a list of names" if classification.nested else "names"
        if not isinstance(given, list):
            self._problem(region, classification.name, f"expected a list of {form}, got {_shown(given)}")
            return ()
        options: list[Path] = []
        for one in given:
            wire = [one] if isinstance(one, str) else one
            if not (isinstance(wire, list) and wire and all(isinstance(name, str) for name in wire)) or (
                isinstance(one, list) and not classification.nested
            ):
                self._problem(region, classification.name, f"expected a list of {form}, got {_shown(one)} in it")
                continue
            path = classification.path_of(wire)
            if path is None:
                self._problem(region, classification.name, f"has no option {' / '.join(wire)!r}")
            else:
                options.append(path)
        implied = {path[:depth] for path in options for depth in range(1, len(path))}
        deepest = tuple(path for path in dict.fromkeys(options) if path not in implied)
        if classification.exclusive and len(deepest) > 1:
            names = ", ".join(repr(" / ".join(path)) for path in deepest)
            self._problem(region, classification.name, f"takes one option, got {names}")
            return ()
        return deepest

    def region(self, item: _Item) -> None:
        """Reads the labels and ranges of a timeline's region."""
        frames = self._frames(item)
        if not frames:
            return
        region = self._regions.setdefault(item.region, _Region())
        region.labels.setdefault(item.classification.name, set()).update(item.options)
        region.frames |= frames
        self.answers += [self._answer(item, option, frames) for option in item.options]

    def answered(self, item: _Item) -> list[Answer]:
        classification = item.classification
        if classification.per_region:
            return self._attribute(item)
        length = self.lengths.get(classification.media)
        frames = extent_of(classification, self.timelines, self.lengths)
        if classification.scope == "item":
            index = item.item_index
            if not isinstance(index, int) or isinstance(index, bool) or index < 0:
                self._problem(item.region, classification.name, f"item_index must be 0 or more, got {_shown(index)}")
                return []
            if length is not None and index >= length:
                message = f"item_index must be under {length}, the number of items, got {index}"
                self._problem(item.region, classification.name, message)
                return []
            frames = Frames.at([index])
        return [self._answer(item, option, frames) for option in item.options]

    def _attribute(self, item: _Item) -> list[Answer]:
        """An attribute belongs to the region whose id it shares, with that region's labels and ranges."""
        region = self._regions.get(item.region)
        permitted = self.ontology.labels(item.classification.name)
        labels = {
            label
            for timeline, found in (region.labels if region and item.has_id else {}).items()
            for label in found & permitted.get(timeline, frozenset())
        }
        if region is None or not labels:
            self._problem(item.region, item.classification.name, "shares no region with a label that it belongs to")
            return []
        return [self._answer(item, option, region.frames, label) for label in sorted(labels) for option in item.options]

    def _answer(self, item: _Item, option: Path, frames: Frames, under: Path | None = None) -> Answer:
        return Answer(item.classification.name, option, frames, item.confidence, self.source, under)

    def _frames(self, item: _Item) -> Frames:
        name, ranges = item.classification.name, item.value.get("ranges")
        if not isinstance(ranges, list) or not ranges:
            self._problem(item.region, name, f"ranges must be a list of start and end, got {_shown(ranges)}")
            return Frames()
        spans: list[Range] = []
        for one in ranges:
            start, end = (one.get("start"), one.get("end")) if isinstance(one, Mapping) else (None, None)
            if not (is_whole(start) and is_whole(end) and 1 <= start <= end):
                message = f"a range must have whole numbers 1 <= start <= end, got {_shown(one)}"
                self._problem(item.region, name, message)
                continue
            media = item.classification.media
            frames = numbers_to_frames(int(start), int(end), self.timelines.get(media), self.lengths.get(media))
            if not frames:
                self._problem(item.region, name, f"the range {int(start)} to {int(end)} lies past the end of the video")
            spans += frames.ranges
        return Frames.of(*spans)

    def whole_chains(self) -> tuple[Answer, ...]:
        """The answers read, without those that Label Studio would drop for want of a parent.

        Two regions of one label may overlap and differ in an attribute, so a second option is found only elsewhere.
        """
        given: dict[str, list[Answer]] = {}
        for answer in merge(self.answers):
            given.setdefault(answer.classification, []).append(answer)
        gates = Gates(self.ontology, unanswered_counts=True)
        kept: list[Answer] = []
        for classification in self.ontology:
            stated = given.get(classification.name, [])
            asked = {under: gates.asked(classification, under) for under in {answer.under for answer in stated}}
            holding = [answer.on(answer.frames & asked[answer.under]) for answer in stated]
            for answer, whole in zip(stated, holding, strict=True):
                if whole.frames != answer.frames:
                    self._broken(answer, f"is {asked_where(classification)}, and there it is not")
            if classification.scope != "range":
                holding, second = contest(classification, [answer for answer in holding if answer.frames])
                for answer in second:
                    self._broken(answer, "is a second option where only one may be")
            gates.settle(classification.name, merge(holding))
            kept += merge(holding)
        return tuple(kept)

    def _broken(self, answer: Answer, message: str) -> None:
        self._problem("-", answer.classification, f"{' / '.join(answer.option)!r} {message}")

    def _problem(self, region: str, control: str, message: str) -> None:
        self.problems.append(Problem(region, control, message))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
