"""Embedding all of a project: every image, every item, and of videos every n-th frame, so that it can be searched."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from espalier_ontology.frames import Frames

from ..jobs.cataloguing import note
from ..jobs.embedding import embed
from ..jobs.house import House
from ..jobs.opening import OpenTask, open_tasks
from ..jobs.progress import Progress
from ..media.media import Media
from ..store.rows import Project, Task
from .searchable import encoder_of

EVERY_S = 1.0
"""Of a video, a frame a second: scenes are longer, and hits are shown one per scene anyway."""
_TASKS_AT_ONCE = 64
MESSAGE = "embedding tasks"


@dataclass(frozen=True)
class Embedded:
    """tasks: how many were looked at. frames: embedded now. held: that were there already. problems: in words."""

    tasks: int
    frames: int
    held: int
    problems: tuple[str, ...] = ()


def embed_project(
    house: House,
    project: Project,
    progress: Progress,
    *,
    every_s: float = EVERY_S,
    tasks: Collection[int] | None = None,
) -> Embedded:
    """All tasks, or these. every_s: seconds between two frames of a video; 0 is every frame.

    What is embedded already is not decoded again, so that it goes on where it was stopped. What cannot be read is told
    of, and the rest goes on. What was finished is kept where `progress` raises.
    """
    encoder = encoder_of(house, project)
    wanted = house.records.tasks(project.key, tasks)
    frames = held = 0
    problems: dict[str, None] = {}
    for start in range(0, len(wanted), _TASKS_AT_ONCE):
        progress.report(start, len(wanted), MESSAGE)
        some = wanted[start : start + _TASKS_AT_ONCE]
        opened = _opened(house, project, some, problems)
        work = [(media, frames_of(media, every_s)) for one in opened for media in one.media.values()]
        report = embed(work, encoder, house.embeddings, progress=_Within(progress, start, len(wanted)))
        frames, held = frames + report.frames, held + report.held
        problems |= dict.fromkeys(message for _, message in report.failures)
    progress.report(len(wanted), len(wanted), MESSAGE)
    return Embedded(len(wanted), frames, held, tuple(problems))


def frames_of(media: Media, every_s: float) -> Frames:
    """Those that are embedded."""
    every = Frames.of((0, media.length))
    if media.kind != "video" or media.timeline is None or every_s <= 0:
        return every
    pace_s = media.timeline.duration_s / max(media.length, 1)
    return every.every(max(1, math.floor(every_s / pace_s + 0.5)) if pace_s > 0 else 1)


def _opened(house: House, project: Project, tasks: list[Task], problems: dict[str, None]) -> list[OpenTask]:
    ontology = house.ontology(project, (task.data for task in tasks))
    opened = open_tasks([(task.id, task.data) for task in tasks], ontology, house.fetcher(project))
    note(house, project, opened)
    problems |= dict.fromkeys(failure for one in opened for failure in one.failures)
    return opened


class _Within:
    """Reports frames of some tasks as what they are in the whole: these tasks."""

    def __init__(self, progress: Progress, start: int, total: int) -> None:
        self._progress, self._start, self._total = progress, start, total

    def report(self, done: int, total: int, message: str = "") -> None:
        share = min(done / total, 1.0) if total else 0.0
        tasks = min(_TASKS_AT_ONCE, self._total - self._start)
        self._progress.report(self._start + int(share * tasks), self._total, MESSAGE)
