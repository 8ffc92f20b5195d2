"""One image, sequence or video of a task: where it lies, how long it is, and its frames as pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from espalier_ontology.frames import Frames
from espalier_ontology.timeline import Timeline, frame_rate_of, rate_difference
from espalier_ontology.tree import MediaKind, MediaTag

from ..errors import BadMedia
from .cache import LocalFile, MediaCache
from .field import address_of, addresses_of
from .picture import Picture, Size, read_picture
from .video import Numbers, VideoIndex, index_video, read_frames

BATCH = 32
_INDEX = "video-index-1.npz"
# What Chromium and Firefox play; of the others people label a black picture.
_UNPLAYABLE = {"hevc": "HEVC (H.265)", "mpeg4": "MPEG-4 part 2", "mpeg2video": "MPEG-2", "mjpeg": "Motion JPEG"}


class Fetches(Protocol):
    """What is needed of a `fetch.Fetcher`."""

    cache: MediaCache
    max_megapixels: int

    def fetch(self, value: str, *, task_id: int | None) -> LocalFile: ...


@dataclass(frozen=True, eq=False)
class Media:
    """Frames of one task's image (one), sequence (one per item) or video, numbered from 0.

    items: content digests, one per item of a sequence, one for an image or a video. problems: what is wrong with
    items that could not even be fetched, by frame; they keep their number and a digest that no content has.
    timeline: for videos. warnings: sentences for people, about what can be worked with all the same.
    """

    tag: MediaTag
    items: tuple[str, ...]
    length: int
    files: tuple[LocalFile | None, ...]
    timeline: Timeline | None = None
    warnings: list[str] = field(default_factory=list)
    problems: Mapping[int, str] = field(default_factory=dict)
    index: VideoIndex | None = None
    max_megapixels: int = 100
    where: str = ""
    """The task and field, for messages."""

    @property
    def kind(self) -> MediaKind:
        return self.tag.kind

    @property
    def digest(self) -> str:
        """Of the content: the item's own, or for a sequence that of all its items in order."""
        return self.items[0] if self.kind != "sequence" else hashlib.sha256("\n".join(self.items).encode()).hexdigest()

    def key(self, frame: int) -> tuple[str, int]:
        """Under which digest and frame this frame's embedding is kept."""
        return (self.items[0], frame) if self.kind == "video" else (self.items[frame], 0)

    def pictures(self, frames: Frames, size: Size) -> Iterator[tuple[Numbers, Picture]]:
        """Batches of frame numbers, int64 (b,), and their pictures, RGB uint8 (b, height, width, 3), in order.

        Frames past the end are left out. What cannot be read is left out too; then, after the rest, BadMedia is
        raised, whose `frames` are those that are missing. Different media may be read by different threads at once.
        """
        if self.index is None:
            yield from self._items(frames, size)
            return
        file = self.files[0]
        assert file is not None
        try:
            yield from read_frames(file.path, self.index, frames, size, batch=BATCH)
        except BadMedia as error:
            raise BadMedia(f"{self.where}: {file.named(str(error))}", error.frames or frames) from error

    def _items(self, frames: Frames, size: Size) -> Iterator[tuple[Numbers, Picture]]:
        numbers: list[int] = []
        pictures: list[Picture] = []
        lost: dict[int, str] = {}
        for number in frames & Frames.of((0, self.length)):
            try:
                pictures.append(self._read(number, size))
                numbers.append(number)
            except BadMedia as error:
                lost[number] = str(error)
            if len(numbers) == BATCH:
                yield np.array(numbers, np.int64), np.stack(pictures)
                numbers, pictures = [], []
        if numbers:
            yield np.array(numbers, np.int64), np.stack(pictures)
        if lost:
            number, reason = next(iter(lost.items()))
            if self.kind == "sequence":
                reason = f"item {number + 1}: {reason}"
            more = f" (and {len(lost) - 1} more items)" if len(lost) > 1 else ""
            raise BadMedia(f"{self.where}: {reason}{more}", Frames.at(lost))

    def _read(self, number: int, size: Size) -> Picture:
        file = self.files[number]
        if file is None:
            raise BadMedia(self.problems[number])
        try:
            return read_picture(file.path, size, max_megapixels=self.max_megapixels)
        except BadMedia as error:
            raise BadMedia(file.named(str(error))) from error


def open_media(tag: MediaTag, data: Mapping[str, object], fetcher: Fetches, *, task_id: int | None) -> Media:
    """Fetch what a tag shows of a task, and index it. Raises BadMedia where there is nothing to work with."""
    where = f"task {task_id}, {tag.field!r}" if task_id is not None else repr(tag.field)
    try:
        if tag.kind == "sequence":
            return _open_sequence(tag, data, fetcher, task_id, where)
        file = fetcher.fetch(address_of(tag, data), task_id=task_id)
        if tag.kind == "video":
            return _open_video(tag, data, fetcher, file, where)
    except BadMedia as error:
        raise BadMedia(f"{where}: {error}", error.frames) from error
    return Media(tag, (file.digest,), 1, (file,), max_megapixels=fetcher.max_megapixels, where=where)


def _open_sequence(
    tag: MediaTag, data: Mapping[str, object], fetcher: Fetches, task_id: int | None, where: str
) -> Media:
    digests: list[str] = []
    files: list[LocalFile | None] = []
    problems: dict[int, str] = {}
    for number, address in enumerate(addresses_of(tag, data)):
        try:
            if address is None:
                raise BadMedia("the task's data has no link for this item")
            file = fetcher.fetch(address, task_id=task_id)
            digests.append(file.digest)
            files.append(file)
        except BadMedia as error:
            problems[number] = str(error)
            digests.append(hashlib.sha256(f"not fetched: {number} {address}".encode()).hexdigest())
            files.append(None)
    if len(problems) == len(files):
        raise BadMedia(f"none of its {len(files)} items can be had; the first: {problems[0]}")
    warnings = [f"{where}: item {number + 1}: {reason}" for number, reason in problems.items()]
    return Media(
        tag, tuple(digests), len(files), tuple(files), warnings=warnings, problems=problems,
        max_megapixels=fetcher.max_megapixels, where=where,
    )  # fmt: skip


def _open_video(tag: MediaTag, data: Mapping[str, object], fetcher: Fetches, file: LocalFile, where: str) -> Media:
    index = _index(fetcher.cache, file)
    timeline = Timeline(tuple(index.times_s.tolist()), index.duration_s, frame_rate_of(tag.frame_rate, data))
    warnings = [f"{where}: {sentence}" for sentence in _warnings(index, timeline)]
    return Media(tag, (file.digest,), len(index), (file,), timeline, warnings, index=index, where=where)


def known_times(cache: MediaCache, digest: str) -> tuple[float, ...] | None:
    """When each frame of a video is presented, in seconds; None where the cache knows it not, or not any more."""
    kept = cache.read_beside(digest, _INDEX)
    try:
        return tuple(VideoIndex.from_bytes(kept).times_s.tolist()) if kept is not None else None
    except ValueError:  # from another version of Espalier
        return None


def _index(cache: MediaCache, file: LocalFile) -> VideoIndex:
    """Made once per content: for hours of video, reading all packets takes seconds."""
    kept = cache.read_beside(file.digest, _INDEX)
    if kept is not None:
        try:
            return VideoIndex.from_bytes(kept)
        except ValueError:  # from another version of Espalier
            pass
    try:
        index = index_video(file.path)
    except BadMedia as error:
        raise BadMedia(file.named(str(error))) from error
    cache.write_beside(file.digest, _INDEX, index.to_bytes())
    return index


def _warnings(index: VideoIndex, timeline: Timeline) -> Iterator[str]:
    difference = rate_difference(timeline.frame_rate, index.frame_rate)
    if difference:
        yield difference
    if index.start_s > 0.5 / timeline.frame_rate:
        yield (
            f"the video's first picture is at {index.start_s:.3g} s: Label Studio cannot reach its last "
            f"{index.start_s:.3g} s; re-encode it so that it starts at 0"
        )
    if index.codec in _UNPLAYABLE:
        yield f"the video is {_UNPLAYABLE[index.codec]}, which many browsers do not play: convert it to H.264"
    if index.promised > index.packets:
        yield (
            f"the file is cut short: its header promises {index.promised} frames and {index.packets} are there; "
            f"upload it again"
        )
