"""What each selected task is given: its media opened as far as needed, people's answers read, labels composed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from espalier_ontology import regions
from espalier_ontology.answers import PERSON, Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, MediaTag, Ontology

from ..errors import BadMedia, BadRequest
from ..media.field import address_of, addresses_of
from ..media.media import Media
from ..store.rows import Annotation, Project, Task
from .bulk_answers import Composed, Part, Refusal, compose_parts
from .bulk_frames import frames_in
from .bulk_labels import Label, check_labels, named
from .bulk_parameters import BulkParameters
from .bulk_selection import SelectedFrames
from .house import House
from .label_mappings import held
from .opening import OpenTask, open_tasks
from .reading import Readings

GONE = "the project has no such task (any more)"
ANNOTATED = "a person has annotated the task: let another annotation be written beside theirs, or write predictions"


@dataclass(frozen=True)
class Known:
    """A task as Label Studio has it now."""

    task: Task
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True)
class BulkTask:
    """What one task is given. result: Label Studio's regions; empty where there is nothing to write.

    given: frames by label, an answer about a whole media counting one. said: the frames on which people have said so
    already. refused: as JSON, frames as people count them.
    """

    task_id: int
    result: list[dict[str, object]] = field(default_factory=list)
    given: Mapping[str, int] = field(default_factory=dict)
    said: int = 0
    refused: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What is kept of it beside a run."""
        kept = {"given": dict(self.given), "said": self.said, "refused": list(self.refused), "notes": list(self.notes)}
        return {name: value for name, value in kept.items() if value}

    @classmethod
    def from_json(cls, task_id: int, value: Mapping[str, Any]) -> BulkTask:
        """As `to_json` had it, without the result."""
        return cls(
            task_id,
            given=value.get("given", {}),
            said=value.get("said", 0),
            refused=tuple(value.get("refused", ())),
            notes=tuple(value.get("notes", ())),
        )


class Giver:
    """Gives the labels of one bulk label to tasks. source: the run's version name.

    ours: annotations that bulk labels made, and when; where one was changed since, and of all others, people are the
    authors.
    """

    def __init__(
        self,
        house: House,
        project: Project,
        parameters: BulkParameters,
        source: str,
        ours: Mapping[int, datetime] | None = None,
    ) -> None:
        self.house, self.project, self.parameters = house, project, parameters
        self.source, self.ours = source, dict(ours or {})
        self.mappings = held(house, project)
        self.fetcher = house.fetcher(project)

    def give(self, selected: Mapping[int, Sequence[SelectedFrames]], known: Iterable[Known]) -> Iterator[BulkTask]:
        """One BulkTask for each task that is selected, in their order."""
        by_id = {one.task.id: one for one in known}
        there = [by_id[task_id] for task_id in selected if task_id in by_id]
        ontology = self.house.ontology(self.project, (one.task.data for one in there))
        is_dynamic = any(classification.dynamic_field for classification in ontology)
        opened = self._open(ontology, there, {label for some in selected.values() for label in self._labels(some)})
        readings = Readings(ontology, self.mappings)
        for task_id, frames in selected.items():
            if task_id not in by_id:
                yield BulkTask(task_id, refused=_all_refused(task_id, GONE, self._labels(frames)))
                continue
            one = by_id[task_id]
            if is_dynamic:
                readings = Readings(self.house.ontology(self.project, [one.task.data]), self.mappings)
            yield self._give_one(readings, one, opened[task_id], frames)

    def _give_one(
        self, readings: Readings, known: Known, opened: OpenTask, selected: Sequence[SelectedFrames]
    ) -> BulkTask:
        ontology, parameters, task_id = readings.ontology, self.parameters, known.task.id
        labels = self._labels(selected)
        answering = [one for one in known.annotations if not one.was_cancelled]
        is_theirs = any(one.updated_at is None or self.ours.get(one.id) != one.updated_at for one in answering)
        if is_theirs and parameters.as_ == "annotations" and not parameters.also_annotated:
            return BulkTask(task_id, refused=_all_refused(task_id, ANNOTATED, labels))
        try:
            for one in selected:
                check_labels(ontology, one.labels)
        except BadRequest as error:  # the ontology has changed since they were chosen
            return BulkTask(task_id, refused=_all_refused(task_id, str(error), labels))
        people = [answer for one in answering for answer in readings.read(one.result, opened, one.updated_at).answers]
        parts, notes = self._parts(ontology, opened, selected)
        if unseen := [label for label in labels if ontology.classification(label[0]).media not in opened.media]:
            reason = "; ".join(opened.failures) or "the task does not show what it is about"
            unread = _all_refused(task_id, reason, unseen)
        else:
            unread = ()
        composed = compose_parts(
            ontology,
            parts,
            people,
            source=self.source,
            extents={name: Frames.of((0, media.length)) for name, media in opened.media.items()},
            with_parents=parameters.with_parents,
        )
        composed = _without_unseen(ontology, composed, opened)
        written = composed.written if composed.given else ()
        if parameters.as_ == "annotations":  # a person gave them
            written = tuple(_of_a_person(answer) for answer in written)
            notes += [f"{missing.classification!r} is required there, and not answered" for missing in composed.missing]
        result = regions.write(
            ontology, written, timelines=opened.timelines, lengths=opened.lengths, salt=f"{self.source}/{task_id}"
        )
        given: dict[str, int] = {}
        for answer in composed.given if result else ():
            label = named((answer.classification, answer.option))
            given[label] = given.get(label, 0) + _count(ontology.classification(answer.classification), answer.frames)
        said = sum(_count(ontology.classification(one.classification), one.frames) for one in composed.said)
        refused = [_refusal(task_id, ontology.classification(one.label[0]), one) for one in composed.refused]
        return BulkTask(task_id, result, given, said, (*unread, *refused), tuple(notes))

    def _labels(self, selected: Iterable[SelectedFrames]) -> tuple[Label, ...]:
        """All that these frames are given."""
        return tuple(dict.fromkeys(label for one in selected for label in one.labels or self.parameters.labels))

    def _parts(
        self, ontology: Ontology, opened: OpenTask, selected: Iterable[SelectedFrames]
    ) -> tuple[list[Part], list[str]]:
        """The selected frames of one task by what they are given, and notes about them for people."""
        alike: dict[tuple[Label, ...], list[SelectedFrames]] = {}
        for one in selected:
            alike.setdefault(one.labels or self.parameters.labels, []).append(one)
        parts: list[Part] = []
        notes: list[str] = []
        for labels, some in alike.items():
            shown = [label for label in labels if ontology.classification(label[0]).media in opened.media]
            frames: dict[str, Frames] = {}
            for tag in dict.fromkeys(ontology.classification(name).media for name, _ in shown):
                media = opened.media[tag]
                frames[tag], beyond = frames_in(some, tag, media.length, media.timeline)
                notes += [f"task {opened.task_id}: {beyond}"] if beyond else []
                notes += _spread(ontology, media, frames[tag], shown)
            parts.append((shown, frames))
        return parts, notes

    def _open(self, ontology: Ontology, known: Sequence[Known], labels: Iterable[Label]) -> dict[int, OpenTask]:
        """What the labels are about, with all that it depends on. Only of videos the file itself is needed."""
        names = {name for name, _ in labels if name in ontology}
        asked = [ontology.classification(name) for name in names]
        asked += [parent for name in names for parent in ontology.ancestors(name)]
        tags = [tag for tag in ontology.media if tag.name in {one.media for one in asked}]
        videos = {tag.name for tag in tags if tag.kind == "video"}
        fewer = replace(ontology, classifications=tuple(one for one in ontology if one.media in videos))
        rows = [(one.task.id, one.task.data) for one in known]
        played = open_tasks(rows, fewer, self.fetcher) if videos else [OpenTask(task_id, {}) for task_id, _ in rows]
        return {
            one.task_id: _with_pictures(one, data, [tag for tag in tags if tag.kind != "video"])
            for one, (_, data) in zip(played, rows, strict=True)
        }


def _all_refused(task_id: int, reason: str, labels: Iterable[Label]) -> tuple[Mapping[str, Any], ...]:
    return tuple({"task": task_id, "label": named(label), "reason": reason} for label in labels)


def _spread(ontology: Ontology, media: Media, selected: Frames, labels: Iterable[Label]) -> Iterator[str]:
    """Where a few frames were selected, and all of them are answered for."""
    for name in dict.fromkeys(name for name, _ in labels):
        classification = ontology.classification(name)
        about = classification.media == media.tag.name and classification.scope == "media"
        if about and 0 < len(selected) < media.length:
            yield f"{name!r} is answered for the whole {media.kind}, whichever of its frames are selected"


def _with_pictures(opened: OpenTask, data: Mapping[str, Any], tags: Iterable[MediaTag]) -> OpenTask:
    """With the images and sequences that the task's data names; no file is fetched for them."""
    media, failures = dict(opened.media), [*opened.failures]
    for tag in tags:
        try:
            items = [address_of(tag, data)] if tag.kind == "image" else addresses_of(tag, data)
        except BadMedia as error:
            failures.append(f"task {opened.task_id}, {tag.field!r}: {error}")
        else:
            media[tag.name] = Media(tag, ("",) * len(items), len(items), (None,) * len(items))
    return OpenTask(opened.task_id, media, tuple(failures))


def _without_unseen(ontology: Ontology, composed: Composed, opened: OpenTask) -> Composed:
    """Without the frames of a video that Label Studio never shows: it has no number for them."""
    given: list[Answer] = []
    refused = list(composed.refused)
    for answer in composed.given:
        timeline = opened.timelines.get(ontology.classification(answer.classification).media)
        unseen = Frames()
        if timeline is not None and ontology.classification(answer.classification).scope == "range":
            unseen = Frames(tuple(one for one in answer.frames.ranges if not timeline.to_numbers(Frames((one,)))))
        if unseen:
            reason = "Label Studio shows these frames at no time: the frameRate of the Video tag is too low for them"
            refused.append(Refusal((answer.classification, answer.option), unseen, reason))
        if shown := answer.frames - unseen:
            given.append(answer.on(shown))
    return replace(composed, given=tuple(given), refused=tuple(refused))


def _of_a_person(answer: Answer) -> Answer:
    return replace(answer, source=PERSON, confidence=1.0)


def _count(classification: Classification, frames: Frames) -> int:
    return 1 if classification.scope == "media" and frames else len(frames)


def _refusal(task_id: int, classification: Classification, one: Refusal) -> Mapping[str, Any]:
    ranges = [[start + 1, stop] for start, stop in one.frames.ranges]
    where: dict[str, Any] = {"tag": classification.media}
    if classification.scope != "media":
        where["frames"] = ranges
    return {"task": task_id, "label": named(one.label), "reason": one.reason, **where}
