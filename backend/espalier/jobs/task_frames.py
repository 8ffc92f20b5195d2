"""Frames of tasks, labeled or not, with their embeddings: what lists and quality reports go by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier_ontology.frames import Frames

from ..contract import Embeddings, Ids
from ..media.media import Media
from ..plugins.checked import CheckedEncoder
from ..store.rows import Project
from .cataloguing import note
from .embedding import embed
from .house import House
from .opening import open_tasks
from .progress import Progress

FRAMES_PER_MEDIA = 16
"""Of a video or a sequence, spread over it: more of them say little that is new about the task."""
_TASKS_AT_ONCE = 64
_MANY = 20_000_000
"""Numbers in embeddings: 40,000 frames x 512."""


@dataclass(frozen=True)
class TaskFrames:
    """One row per frame, those of a task beside each other, in the order of the tasks.

    tasks int64 (n,): ids. media: by row. frames int64 (n,). embeddings float32 (n, dim), rows of norm 1.
    """

    tasks: Ids
    media: tuple[Media, ...]
    frames: Ids
    embeddings: Embeddings
    problems: tuple[str, ...] = field(default=())
    """What could not be read, in words."""

    def __len__(self) -> int:
        return len(self.tasks)


def task_frames(
    house: House,
    project: Project,
    tasks: Sequence[Mapping[str, Any]],
    encoder: CheckedEncoder,
    progress: Progress,
    *,
    per_media: int = FRAMES_PER_MEDIA,
) -> TaskFrames:
    """Opens the tasks (Label Studio's objects) and embeds what is not embedded yet. What cannot be read is left out."""
    ontology = house.ontology(project, (task["data"] for task in tasks))
    fetcher = house.fetcher(project)
    ids: list[int] = []
    media: list[Media] = []
    frames: list[int] = []
    problems: list[str] = []
    for start in range(0, len(tasks), _TASKS_AT_ONCE):
        progress.report(start, len(tasks), "opening and embedding tasks")
        some = tasks[start : start + _TASKS_AT_ONCE]
        opened = open_tasks([(task["id"], task["data"]) for task in some], ontology, fetcher)
        note(house, project, opened)
        work = [(one.task_id, item, spread(item, per_media)) for one in opened for item in one.media.values()]
        problems += [failure for one in opened for failure in one.failures]
        report = embed([(item, wanted) for _, item, wanted in work], encoder, house.embeddings)
        problems += [message for _, message in report.failures]
        lost = {id(item) for item, _ in report.failures}
        for task_id, item, wanted in work:
            for frame in wanted if id(item) not in lost else _embedded(house, encoder, item, wanted):
                ids.append(task_id)
                media.append(item)
                frames.append(frame)
    progress.report(len(tasks), len(tasks), "opening and embedding tasks")
    keys = [item.key(frame) for item, frame in zip(media, frames, strict=True)]
    embeddings = (
        house.embeddings.read_many(encoder.spec.digest, keys) if keys else np.zeros((0, encoder.spec.dim), np.float32)
    )
    return TaskFrames(
        np.array(ids, np.int64), tuple(media), np.array(frames, np.int64), embeddings, tuple(dict.fromkeys(problems))
    )


@contextmanager
def quick_arithmetic(embeddings: Embeddings) -> Iterator[None]:
    """On a busy machine a team of threads waits for its slowest at every step; few rows are quicker with one."""
    with threadpool_limits(limits=1 if embeddings.size < _MANY else None, user_api="blas"):
        yield


def spread(media: Media, most: int) -> Frames:
    """At most so many frames of a media, at equal distances."""
    if media.length <= most:
        return Frames.of((0, media.length))
    return Frames.at(np.linspace(0, media.length - 1, most).astype(int).tolist())


def nearest_tasks(
    embeddings: Embeddings, tasks: Sequence[Sequence[int]], row: int, task_id: int, *, most: int = 5
) -> tuple[int, ...]:
    """Other tasks whose frames are most like this one, the most similar first.

    embeddings float32 (n, dim); tasks by row, those that show it. task_id: the task that the row is of.
    """
    found: dict[int, None] = {}
    for other in np.argsort(-(embeddings @ embeddings[row]), kind="stable").tolist():
        found.update(dict.fromkeys(near for near in tasks[other] if near != task_id))
        if len(found) >= most:
            break
    return tuple(found)[:most]


def _embedded(house: House, encoder: CheckedEncoder, media: Media, wanted: Frames) -> list[int]:
    return [
        frame
        for frame in wanted
        for item, number in [media.key(frame)]
        if not house.embeddings.missing(encoder.spec.digest, item, Frames.at([number]))
    ]
