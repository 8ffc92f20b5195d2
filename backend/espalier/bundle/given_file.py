"""A file that somebody wants answered: a picture, a video, or pictures that belong together as a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espalier_ontology.frames import Frames
from espalier_ontology.timeline import Timeline, frame_rate_of
from espalier_ontology.tree import MediaKind, MediaTag

from ..errors import BadMedia
from ..media import sniff
from ..media.picture import Picture, Size, decode_picture, read_picture
from ..media.video import Numbers, VideoIndex, index_video, read_frames

BATCH = 32


@dataclass(frozen=True)
class GivenFile:
    """name: what people call it. paths: one, or those of a sequence in order.

    content: what is in it, where its path is not written yet; what cannot be read from memory is written there.
    """

    name: str
    paths: tuple[Path, ...]
    content: bytes | None = None

    def open(self, size: Size, max_megapixels: int) -> OpenFile:
        """What it is, by its content, and a single picture read at once. Raises BadMedia where it is neither."""
        try:
            if len(self.paths) > 1:
                return OpenFile(self, "sequence", len(self.paths), max_megapixels)
            found = self._kind()
            if "video" not in found:
                try:
                    return OpenFile(self, "image", 1, max_megapixels, self._picture(size, max_megapixels))
                except BadMedia:
                    if found:  # known for what it is, and no video
                        raise
                    try:
                        index = self._video()
                    except BadMedia:
                        index = None
                    if index is None:
                        raise
            else:
                index = self._video()
            return OpenFile(self, "video", len(index), max_megapixels, None, index)
        except BadMedia as error:
            raise BadMedia(self.named(str(error))) from error

    def named(self, message: str) -> str:
        """A message about it, with its own name in place of the one that it has here."""
        for path in self.paths:
            message = message.replace(path.name, self.name if len(self.paths) == 1 else f"{self.name}/{path.name}", 1)
        return message

    def _kind(self) -> str:
        first = sniff.head(self.paths[0]) if self.content is None else self.content[: sniff.HEAD_BYTES]
        return sniff.describe(first) or ""

    def _picture(self, size: Size, max_megapixels: int) -> Picture:
        path = self.paths[0]
        if self.content is None:
            return read_picture(path, size, max_megapixels=max_megapixels)
        return decode_picture(self.content, path.name, size, max_megapixels=max_megapixels)

    def _video(self) -> VideoIndex:
        """Its frames are read more than once, and from here and there."""
        if self.content is not None:
            self.paths[0].write_bytes(self.content)
        return index_video(self.paths[0])


@dataclass(frozen=True, eq=False)
class OpenFile:
    """length: its frames. picture: of a single one, uint8 (height, width, 3). index: of a video."""

    file: GivenFile
    kind: MediaKind
    length: int
    max_megapixels: int
    picture: Picture | None = None
    index: VideoIndex | None = None

    def timeline(self, tag: MediaTag) -> Timeline:
        """Label Studio's clock for it, as a tag has it; a picture is a video of one frame."""
        rate = frame_rate_of(tag.frame_rate, {})
        if self.index is None:
            return Timeline((0.0,), 1.0 / rate, rate)
        return Timeline(tuple(self.index.times_s.tolist()), self.index.duration_s, rate)

    def seconds(self, start: int, stop: int) -> tuple[float, float]:
        """When frames [start, stop) of a video are shown."""
        assert self.index is not None
        times = self.index.times_s
        end = float(times[stop]) if stop < len(times) else max(self.index.duration_s, float(times[-1]))
        return round(float(times[start]), 3), round(end, 3)

    def pictures(self, frames: Frames, size: Size) -> Iterator[tuple[Numbers, Picture]]:
        """Frame numbers int64 (b,) and pictures uint8 (b, height, width, 3). BadMedia comes last, for what was lost."""
        try:
            if self.picture is not None:
                yield np.zeros(1, np.int64), self.picture[None]
            elif self.index is not None:
                yield from read_frames(self.file.paths[0], self.index, frames, size, batch=BATCH)
            else:
                yield from self._items(frames, size)
        except BadMedia as error:
            raise BadMedia(self.file.named(str(error)), error.frames) from error

    def _items(self, frames: Frames, size: Size) -> Iterator[tuple[Numbers, Picture]]:
        lost: list[str] = []
        for number in frames & Frames.of((0, self.length)):
            try:
                picture = read_picture(self.file.paths[number], size, max_megapixels=self.max_megapixels)
            except BadMedia as error:
                lost.append(str(error))
                continue
            yield np.array([number], np.int64), picture[None]
        if lost:
            raise BadMedia(lost[0] + (f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""))
