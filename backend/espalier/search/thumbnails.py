"""Thumbnails: small pictures of frames, decoded here, in the search worker, and kept on disk for the web process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import simplejpeg

from espalier_ontology.frames import Frames

from ..errors import BadMedia, BadRequest
from ..jobs.cataloguing import note
from ..jobs.house import House
from ..jobs.opening import open_tasks
from ..jobs.progress import Progress
from ..media.media import Media
from ..media.picture import Size, picture_size
from ..store.frame_ids import frame_of, media_of
from ..store.records import Records
from ..store.rows import Project
from .fields import Json, known_fields, number_in
from .shown_media import ShownMedia
from .thumbnail_files import SIZES, ThumbnailFiles

MOST = 500
_QUALITY = 82


@dataclass(frozen=True)
class TaskFrame:
    """frame: as people count them, from 1. tag: None is the first one that the labeling configuration asks about."""

    task: int
    frame: int = 1
    tag: str | None = None

    @property
    def name(self) -> str:
        return f"{self.task}:{self.tag or ''}:{self.frame}"


@dataclass(frozen=True)
class ThumbnailsRequest:
    """ids: frame ids. frames: of tasks, which need not be catalogued yet. size: pixels of the longer side."""

    size: int = 160
    ids: tuple[int, ...] = ()
    frames: tuple[TaskFrame, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> ThumbnailsRequest:
        given = known_fields(value, cls, "thumbnails")
        size, ids, frames = given.get("size", 160), given.get("ids", []), given.get("frames", [])
        if size not in SIZES:
            raise BadRequest(f"size must be one of {', '.join(map(str, SIZES))}, got {size!r}")
        if not isinstance(ids, list) or not all(isinstance(id, int) and 0 < id < 2**63 for id in ids):
            raise BadRequest(f"ids must be a list of frame ids, got {ids!r:.80}")
        if not isinstance(frames, list) or not 0 < len(ids) + len(frames) <= MOST:
            raise BadRequest(f"thumbnails takes ids and frames, 1 to {MOST} in all")
        return cls(int(size), tuple(ids), tuple(map(_task_frame, frames)))


def thumbnails(house: House, project: Project, request: ThumbnailsRequest, progress: Progress) -> Json:
    """files: by id, or `task:tag:frame`, the content's digest and frame that the file is named by. problems: by the
    same, why there is none."""
    wanted, problems = _wanted(house, project, request)
    files: dict[str, tuple[str, int]] = {}
    ontology = house.ontology(project)
    rows = {task.id: task for task in house.records.tasks(project.key, wanted)}
    opened = open_tasks([(id, row.data) for id, row in rows.items()], ontology, house.fetcher(project))
    note(house, project, opened)
    store = ThumbnailFiles(house.settings.data_dir)
    for number, one in enumerate(opened):
        progress.report(number, len(opened), "making thumbnails")
        first = next(iter(one.media), None)
        for tag, media in one.media.items():
            asked: dict[int, list[str]] = {}
            for (name, frame), names in wanted[one.task_id].items():
                if tag == (first if name is None else name):
                    asked.setdefault(frame, []).extend(names)
            made = _make(store, media, [frame for frame in asked if 0 <= frame < media.length], request.size)
            files |= {name: made[frame] for frame, names in asked.items() if frame in made for name in names}
    for task_id, places in wanted.items():
        failures = next((one.failures for one in opened if one.task_id == task_id), ("the task is gone",))
        for names in places.values():
            reason = failures[0] if failures else "there is no such frame, or it cannot be read"
            problems |= {name: reason for name in names if name not in files}
    return {"files": files, "problems": problems}


_Wanted = dict[int, dict[tuple[str | None, int], list[str]]]
"""By task, then by tag and frame (from 0): the names under which it was asked for."""


def _wanted(house: House, project: Project, request: ThumbnailsRequest) -> tuple[_Wanted, dict[str, str]]:
    wanted: _Wanted = {}
    problems = {}
    shown = _shown(house.records, project.key)
    if request.ids:
        shown.refresh()
    ids = np.array(request.ids, np.int64)
    for id, number, frame in zip(request.ids, media_of(ids).tolist(), frame_of(ids).tolist(), strict=True):
        rows = shown.rows_of(number) if 0 < number <= len(shown.all_media) else range(0)
        if not rows:
            problems[str(id)] = "no task shows this frame"
            continue
        tag = shown.tag_names[int(shown.tags[rows[0]])]
        place = (tag, int(shown.items[rows[0]]) + frame)
        wanted.setdefault(int(shown.tasks[rows[0]]), {}).setdefault(place, []).append(str(id))
    for one in request.frames:
        wanted.setdefault(one.task, {}).setdefault((one.tag, one.frame - 1), []).append(one.name)
    return wanted, problems


def _make(store: ThumbnailFiles, media: Media, frames: list[int], size: int) -> dict[int, tuple[str, int]]:
    """By frame, what its file is named by; what cannot be read is left out."""
    made = {}
    left = []
    for frame in frames:
        key = media.key(frame)
        if store.path(*key, size).exists():
            made[frame] = key
        else:
            left.append(frame)
    for some in [left] if media.kind == "video" else [[frame] for frame in left]:
        if not some:
            continue
        try:
            for numbers, pictures in media.pictures(Frames.at(some), _size(media, some[0], size)):
                for frame, picture in zip(numbers.tolist(), pictures, strict=True):
                    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=_QUALITY, colorspace="RGB")
                    store.write(*media.key(frame), size, jpeg)
                    made[frame] = media.key(frame)
        except BadMedia:
            continue
    return made


def _size(media: Media, frame: int, longest: int) -> Size:
    """As the frame's own sides, the longer one at most as long."""
    if media.index is not None:
        height, width = media.index.height, media.index.width
    else:
        file = media.files[frame]
        if file is None:
            raise BadMedia(media.problems[frame])
        height, width = picture_size(Path(file.path))
    share = min(1.0, longest / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def _task_frame(value: object) -> TaskFrame:
    given = known_fields(value, TaskFrame, "a frame")
    task, frame, tag = (
        number_in(given, "task", 1, whole=True),
        number_in(given, "frame", 1, whole=True),
        given.get("tag"),
    )
    if task is None or not (tag is None or isinstance(tag, str)):
        raise BadRequest(f"a frame is named by its task, and optionally frame and tag, got {value!r:.80}")
    return TaskFrame(task, frame or 1, tag)


@lru_cache(maxsize=16)
def _shown(records: Records, project_key: str) -> ShownMedia:
    return ShownMedia(records, project_key)
