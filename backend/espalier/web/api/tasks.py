"""Tasks as they are known here: to choose one by name, and how many frames Label Studio counts in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field

from espalier_ontology.task_data import value_at
from espalier_ontology.timeline import Timeline, frame_rate_of
from espalier_ontology.tree import MediaTag, Ontology

from ...store.catalogue import CataloguedMedia, Placed
from ...store.rows import Project, Task
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .paging import Page, links
from .problem import Refused
from .routes import Routes, Told

FRAME_BITS = 24
"""As `store.frame_ids` has it, which carries numpy."""
PICTURES = 12


class TaskRow(Told):
    id: int
    name: str = Field(description="Of its first file.")
    answered: bool = Field(description="Whether somebody annotated it.")


class TaskList(Told):
    """Tasks, by id."""

    items: list[TaskRow]


class Picture(Told):
    frame: int = Field(description="As Label Studio numbers it, from 1.")
    id: int = Field(description="Of a thumbnail.")


class TaskMedia(Told):
    tag: str
    kind: Literal["image", "sequence", "video"]
    frames: int = Field(description="As many as Label Studio counts.")
    length: int = Field(description="Pictures in the file: as many, where frameRate is right.")
    duration_s: float = Field(description="0 of all but videos.")
    pictures: list[Picture] = Field(description="Some, evenly from all of it.")


class TaskShown(TaskRow):
    """A task, and what it shows."""

    media: list[TaskMedia] = Field(description="What could be opened of it.")
    problems: list[str] = Field(description="What could not.")


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/tasks", TaskList, role="viewer", query=Page, refuses=(409,), id="listTasks"
    )
    def tasks(project: str, query: Page) -> tuple[TaskList, int, dict[str, str]]:
        """Tasks that are known here."""
        found = given.project(project)
        ids = given.records.task_ids(found.key, offset=query.offset, limit=query.limit)
        rows = given.records.tasks(found.key, ids)
        items = [TaskRow(**row) for row in _rows(given, found, given.ontology(found), rows)]
        return TaskList(items=items), 200, links(given.records.task_count(found.key), query)

    @routes.endpoint(
        "GET", "/projects/<project>/tasks/<int:task>", TaskShown, role="viewer", query=Wait, also=ALSO_LATER,
        refuses=(409,), id="getTask",
    )  # fmt: skip
    def task(project: str, task: int, query: Wait) -> Any:
        """One task. Its media are opened by a worker where nobody did so far, and the job's result tells nothing more
        than that: ask again."""
        found = given.project(project)
        rows = given.records.tasks(found.key, [task]) if task < 2**53 else []
        if not rows:
            raise Refused(404, f"project {found.id} has no task {task} that is known here")
        ontology = given.ontology(found)
        placed, problems = given.records.shown_in(found.key, task), list[str]()
        if not placed:
            done, status = asking.answer(given.errand(found, "open_task", {"task": task}), query.wait_s, Opened)
            if not isinstance(done, Opened):
                return done, status
            problems = done.failures
            placed = given.records.shown_in(found.key, task)
        (row,) = _rows(given, found, ontology, rows)
        return TaskShown(**row, media=_media(ontology, rows[0], placed), problems=problems)


class Opened(Told):
    """What a worker says that opened a task."""

    task: int
    failures: list[str]


def _rows(given: Given, project: Project, ontology: Ontology, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    ids = [task.id for task in tasks]
    answered = {one.task_id for one in given.records.annotations(project.key, ids) if not one.was_cancelled}
    return [{"id": task.id, "name": _name(ontology, task.data), "answered": task.id in answered} for task in tasks]


def _name(ontology: Ontology, data: Mapping[str, Any]) -> str:
    for tag in ontology.media:
        value = value_at(data, f"${tag.field}")
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str) and first:
            parts = urlsplit(first)
            local = dict(parse_qsl(parts.query)).get("d", "")  # /data/local-files/?d=folder/film.mp4
            return unquote(PurePosixPath(local or parts.path).name)[:200]
    return ""


def _media(ontology: Ontology, task: Task, placed: Sequence[Placed]) -> list[TaskMedia]:
    by_tag: dict[str, dict[int, CataloguedMedia]] = {}
    for one in placed:
        by_tag.setdefault(one.tag, {})[one.item] = one.media
    return [_one(tag, task, by_tag[tag.name]) for tag in ontology.media if tag.name in by_tag]


def _one(tag: MediaTag, task: Task, items: Mapping[int, CataloguedMedia]) -> TaskMedia:
    if tag.kind == "video":
        media = next(iter(items.values()))
        frames = Timeline((), media.duration_s, frame_rate_of(tag.frame_rate, task.data)).length
        # At an even pace, as places are told everywhere.
        at = [(number, min(media.length - 1, number * media.length // frames)) for number in _evenly(frames)]
        pictures = [Picture(frame=number + 1, id=media.number << FRAME_BITS | frame) for number, frame in at]
        return TaskMedia(
            tag=tag.name, kind="video", frames=frames, length=media.length, duration_s=media.duration_s,
            pictures=pictures,
        )  # fmt: skip
    length, known = max(items) + 1, sorted(items)
    shown = [known[at] for at in _evenly(len(known))]
    pictures = [Picture(frame=item + 1, id=items[item].number << FRAME_BITS) for item in shown]
    return TaskMedia(tag=tag.name, kind=tag.kind, frames=length, length=length, duration_s=0.0, pictures=pictures)


def _evenly(count: int) -> list[int]:
    """At most `PICTURES` of the numbers below count, the first and the last among them."""
    if count <= PICTURES:
        return list(range(count))
    return [part * (count - 1) // (PICTURES - 1) for part in range(PICTURES)]
