"""A frame, a region of frames, or all of a task, as people name them; and the embeddings that are meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Ids
from ..errors import BadMedia, BadRequest
from ..jobs.cataloguing import note
from ..jobs.embedding import embed
from ..jobs.house import House
from ..jobs.opening import open_tasks
from ..jobs.progress import Progress
from ..media.media import Media
from ..store.frame_ids import FRAME_BITS
from ..store.rows import Project
from .fields import known_fields, number_in
from .searchable import Searchable

ROWS = 16
"""Of a region or a task, this many frames at equal distances are asked with."""


@dataclass(frozen=True)
class FrameQuery:
    """frame, first, last: as people count them, from 1, inclusive; none of them is all of the task."""

    task: int
    frame: int | None = None
    first: int | None = None
    last: int | None = None
    tag: str | None = None

    @classmethod
    def from_json(cls, value: object, what: str = "query") -> FrameQuery:
        given = known_fields(value, cls, what)
        return cls.of_fields(given, what)

    @classmethod
    def of_fields(cls, given: Mapping[str, Any], what: str) -> FrameQuery:
        task, tag = given.get("task"), given.get("tag")
        if not isinstance(task, int) or isinstance(task, bool):
            raise BadRequest(f"{what}: task must be the id of a task, got {task!r}")
        if tag is not None and not isinstance(tag, str):
            raise BadRequest(f"{what}: tag must be the name of a media tag, got {tag!r}")
        frame = number_in(given, "frame", 1, whole=True)
        first, last = number_in(given, "first", 1, whole=True), number_in(given, "last", 1, whole=True)
        if frame is not None and (first, last) != (None, None):
            raise BadRequest(f"{what}: give either a frame, or first and last")
        if first is not None and last is not None and first > last:
            raise BadRequest(f"{what}: first={first} is above last={last}")
        return cls(task, frame, first, last, tag)

    @property
    def span(self) -> tuple[int, int]:
        """Half-open, from 0."""
        if self.frame is not None:
            return self.frame - 1, self.frame
        return (self.first or 1) - 1, (1 << 62) if self.last is None else self.last

    def __str__(self) -> str:
        if self.frame is not None:
            return f"task {self.task} frame {self.frame}"
        region = f" frames {self.first or 1} to {self.last or 'the last'}" if self.first or self.last else ""
        return f"task {self.task}{region}"


def ids_asked(house: House, project: Project, found: Searchable, query: FrameQuery, progress: Progress) -> Ids:
    """Some of its frames, at most 16 of each media, ascending; embedded now where none of them were.

    Raises BadRequest for what is not there, BadMedia for what cannot be read.
    """
    tags = [tag.name for tag in found.labels.reading().ontology.media]
    if query.tag is not None and query.tag not in tags:
        raise BadRequest(f"there is no media tag {query.tag!r}; there are {', '.join(tags)}")
    ids = _embedded(found, query)
    if not len(ids) and _may_be_there(found, query):
        _embed(house, project, found, query, progress)
        ids = _embedded(found, query)
    if not len(ids):
        raise BadRequest(f"there is no {query}{f' under the tag {query.tag!r}' if query.tag else ''}")
    return ids


def _may_be_there(found: Searchable, query: FrameQuery) -> bool:
    """As far as the catalogue knows the task; of one that was never opened nobody knows."""
    shown = found.shown
    rows = [row for row in shown.of_task(query.task) if query.tag in (None, shown.tag_names[int(shown.tags[row])])]
    start, stop = query.span
    return not rows or any(
        start < shown.of_number(int(shown.media[row])).length
        if shown.of_number(int(shown.media[row])).kind == "video"
        else start <= int(shown.items[row]) < stop
        for row in rows
    )


def _embedded(found: Searchable, query: FrameQuery) -> Ids:
    shown, every = found.shown, found.frames.ids
    start, stop = query.span
    parts: list[Ids] = []
    items: list[int] = []
    for row in shown.of_task(query.task).tolist():
        if query.tag is not None and shown.tag_names[int(shown.tags[row])] != query.tag:
            continue
        first, item = int(shown.media[row]) << FRAME_BITS, int(shown.items[row])
        if shown.of_number(int(shown.media[row])).kind == "video":
            least, most = first + min(start, 1 << FRAME_BITS), first + min(stop, 1 << FRAME_BITS)
            low, high = np.searchsorted(every, [least, most])
            parts.append(_some(every[low:high]))
        elif start <= item < stop:
            items.append(first)
    parts.append(_some(np.intersect1d(np.array(items, np.int64), every)))
    asked: Ids = np.unique(np.concatenate(parts))
    return asked


def _some(ids: Ids) -> Ids:
    if len(ids) <= ROWS:
        return ids
    return ids[np.linspace(0, len(ids) - 1, ROWS).round().astype(np.int64)]


def _embed(house: House, project: Project, found: Searchable, query: FrameQuery, progress: Progress) -> None:
    tasks = house.records.tasks(project.key, [query.task])
    if not tasks:
        raise BadRequest(f"project {project.id} has no task {query.task}")
    ontology = house.ontology(project, [tasks[0].data])
    (opened,) = open_tasks([(query.task, tasks[0].data)], ontology, house.fetcher(project))
    note(house, project, [opened])
    work = [
        (media, _spread(media, query)) for name, media in opened.media.items() if query.tag is None or name == query.tag
    ]
    report = embed(work, found.encoder, house.embeddings, progress=progress)
    problems = [*opened.failures, *(message for _, message in report.failures)]
    if problems and not report.frames + report.held:
        raise BadMedia(problems[0])
    found.refresh(project)


def _spread(media: Media, query: FrameQuery) -> Frames:
    start, stop = query.span
    stop = min(stop, media.length)
    if stop <= start:
        return Frames()
    return Frames.at(np.linspace(start, stop - 1, min(ROWS, stop - start)).round().astype(int).tolist())
