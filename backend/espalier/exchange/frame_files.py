"""The frames of a task as files: pictures as they are, frames of videos as JPEG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg

from espalier_ontology.frames import Frames

from ..errors import BadMedia
from ..media.field import address_of, addresses_of
from ..media.media import Media
from ..store.rows import Task
from .file_names import PICTURES, parts_of, safe_name, suffix_of

_QUALITY = 90
_AT_ONCE = 8
"""Full frames that are decoded before they are written."""


@dataclass(frozen=True)
class FrameFile:
    """name: safe, with its ending. frame: from 0. number: as people count, None where there is one frame only."""

    task: int
    tag: str
    frame: int
    number: int | None
    name: str
    content: Path | bytes


def frame_files(
    task: Task, media: Media, stride: int | None, wanted: Callable[[int], bool], problems: list[str]
) -> Iterator[FrameFile]:
    """Those of the frames that are wanted, in order. stride: of a video; None for about one a second.

    What cannot be read goes to `problems`.
    """
    tag = media.tag
    if media.index is not None:
        yield from _video(task, media, stride or max(1, round(media.index.frame_rate or 1.0)), wanted, problems)
        return
    addresses = addresses_of(tag, task.data) if tag.kind == "sequence" else [address_of(tag, task.data)]
    for frame, (file, address) in enumerate(zip(media.files, addresses, strict=True)):
        if not wanted(frame):
            continue
        if file is None or not file.path.is_file():
            problems.append(f"task {task.id}: frame {frame + 1} of {tag.name!r} cannot be had")
            continue
        name = _named(address or "", f"task-{task.id}", f"-{frame + 1}" if tag.kind == "sequence" else "")
        yield FrameFile(task.id, tag.name, frame, frame + 1 if tag.kind == "sequence" else None, name, file.path)


def _video(
    task: Task, media: Media, stride: int, wanted: Callable[[int], bool], problems: list[str]
) -> Iterator[FrameFile]:
    assert media.index is not None
    frames = [frame for frame in range(0, media.length, stride) if wanted(frame)]
    size = media.index.height, media.index.width
    stem = _named(address_of(media.tag, task.data), f"task-{task.id}", "").rpartition(".")[0]
    for start in range(0, len(frames), _AT_ONCE):
        try:
            for numbers, pictures in media.pictures(Frames.at(frames[start : start + _AT_ONCE]), size):
                for frame, picture in zip(numbers.tolist(), pictures, strict=True):
                    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=_QUALITY, colorspace="RGB")
                    name = f"{stem}-{frame + 1:06}.jpg"
                    yield FrameFile(task.id, media.tag.name, frame, frame + 1, name, jpeg)
        except BadMedia as error:
            problems.append(str(error))


def _named(address: str, otherwise: str, mark: str) -> str:
    """By the file's own name, in which nothing is left that a file's name may not hold."""
    parts = parts_of(address)
    name = safe_name(parts[-1] if parts else otherwise, otherwise)
    suffix = suffix_of(name)
    return f"{name.removesuffix(name[len(name) - len(suffix) :])}{mark}{suffix if suffix in PICTURES else '.jpg'}"
