"""Blurred, dark, tiny or oddly shaped pictures among a project's tasks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from espalier_ontology.frames import Frames

from ..errors import BadMedia
from ..media.media import Media
from ..media.picture import Picture, Size, picture_size, read_picture
from ..media.picture_quality import PictureQuality, picture_quality
from ..store.rows import Project
from .house import House
from .opening import open_tasks
from .progress import Progress
from .task_frames import spread

_TASKS_AT_ONCE = 64
_SIDE = 256
"""Pictures are decoded no larger: sharpness is judged at this size."""
_FRAMES_OF_A_VIDEO = 4
_ITEMS_OF_A_SEQUENCE = 64


@dataclass(frozen=True)
class PoorPicture:
    """verdicts: what is wrong, each beginning with its kind. number: of the frame or item, as Label Studio counts."""

    task_id: int
    verdicts: tuple[str, ...]
    number: int | None = None

    @property
    def sentence(self) -> str:
        where = "" if self.number is None else f" (frame {self.number})"
        return "; ".join(self.verdicts) + where


@dataclass(frozen=True)
class LookedAt:
    """How many pictures were looked at, which are poor, in the order of the tasks, and what could not be read."""

    pictures: int
    poor: tuple[PoorPicture, ...]
    problems: tuple[str, ...]


def poor_pictures(house: House, project: Project, tasks: Sequence[Mapping[str, Any]], progress: Progress) -> LookedAt:
    """Looks at the pictures of tasks (Label Studio's objects), and at some frames of their videos."""
    ontology = house.ontology(project, (task["data"] for task in tasks))
    fetcher = house.fetcher(project)
    count = 0
    poor: list[PoorPicture] = []
    problems: list[str] = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="look-at") as pool:
        for start in range(0, len(tasks), _TASKS_AT_ONCE):
            progress.report(start, len(tasks), "looking at pictures")
            some = tasks[start : start + _TASKS_AT_ONCE]
            opened = open_tasks([(task["id"], task["data"]) for task in some], ontology, fetcher)
            work = [(one.task_id, media) for one in opened for media in one.media.values()]
            problems += [failure for one in opened for failure in one.failures]
            for (task_id, media), (seen, problem) in zip(work, pool.map(_look_at, [m for _, m in work]), strict=True):
                count += len(seen)
                problems += [problem] if problem else []
                poor += [
                    PoorPicture(task_id, verdicts, None if media.kind == "image" else _number(media, frame))
                    for frame, quality in seen
                    if (verdicts := quality.verdicts())
                ]
    progress.report(len(tasks), len(tasks), "looking at pictures")
    return LookedAt(count, tuple(poor), tuple(dict.fromkeys(problems)))


def _look_at(media: Media) -> tuple[list[tuple[int, PictureQuality]], str]:
    """By frame; and why the others could not be read."""
    seen: list[tuple[int, PictureQuality]] = []
    most = _FRAMES_OF_A_VIDEO if media.kind == "video" else _ITEMS_OF_A_SEQUENCE
    try:
        for frame, picture, original in _pictures(media, spread(media, most)):
            seen.append((frame, picture_quality(picture, original)))
    except BadMedia as error:
        return seen, str(error)
    return seen, ""


def _pictures(media: Media, frames: Frames) -> Iterator[tuple[int, Picture, Size]]:
    if media.index is not None:
        for numbers, pictures in media.pictures(frames, (_SIDE, _SIDE)):
            for number, picture in zip(numbers.tolist(), pictures, strict=True):
                yield number, picture, (media.index.height, media.index.width)
        return
    for frame in frames:
        file = media.files[frame]
        if file is None:
            raise BadMedia(media.problems[frame])
        try:
            size = picture_size(file.path)
            small = (_SIDE, _SIDE) if min(size) > _SIDE else None
            yield frame, read_picture(file.path, small, max_megapixels=media.max_megapixels), size
        except BadMedia as error:
            raise BadMedia(f"{media.where}: {file.named(str(error))}") from error


def _number(media: Media, frame: int) -> int:
    return media.timeline.numbers(frame)[0] if media.timeline is not None else frame + 1
