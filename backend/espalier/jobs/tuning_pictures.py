"""The pictures that a network is fine-tuned on: decoded when they are asked for, a few at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Ids, Pictures
from ..errors import BadMedia
from ..learning.rows import Located
from ..media.media import Media

BATCH = 32
AHEAD = 2 * BATCH
"""Pictures that are being read, or wait to be handed out."""


class TuningPictures:
    """`read` is what a `TuningData` needs. Rows are those of `located`; media by digest.

    What cannot be read is left out, and stands in `problems`, one sentence per media.
    """

    def __init__(self, located: Located, media: Mapping[str, Media]) -> None:
        self._located, self._media = located, media
        self.problems: dict[str, str] = {}

    def __enter__(self) -> TuningPictures:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def read(self, numbers: Ids, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
        """Images and items of sequences in the order given, then videos, each from its first frame to its last.

        A number may be given more than once.
        """
        videos: dict[str, list[int]] = {}
        waiting: deque[tuple[int, Future[Pictures | None]]] = deque()
        batch = _Batch(size)
        for number in numbers.tolist():
            digest = str(self._located.media[number])
            media = self._media.get(digest)
            if media is None:
                self.problems.setdefault(digest, f"media {digest[:12]} is no longer in the project")
            elif media.kind == "video":
                videos.setdefault(digest, []).append(number)
            else:
                frame = int(self._located.frames[number])
                waiting.append((number, self._pool.submit(self._read_image, media, frame, size)))
            while len(waiting) >= AHEAD:
                yield from batch.add(*_landed(waiting))
        while waiting:
            yield from batch.add(*_landed(waiting))
        for digest, some in videos.items():
            for found, pictures in self._read_video(self._media[digest], some, size):
                for number, picture in zip(found, pictures, strict=True):
                    yield from batch.add(number, picture)
        yield from batch.rest()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="read-image")

    def _read_image(self, media: Media, frame: int, size: tuple[int, int]) -> Pictures | None:
        try:
            for _, pictures in media.pictures(Frames.at([frame]), size):
                picture: Pictures = pictures[0]
                return picture
        except (BadMedia, OSError) as error:
            self.problems.setdefault(media.digest, str(error))
        return None

    def _read_video(
        self, media: Media, numbers: list[int], size: tuple[int, int]
    ) -> Iterator[tuple[list[int], Pictures]]:
        rows: dict[int, list[int]] = {}
        for number in numbers:
            rows.setdefault(int(self._located.frames[number]), []).append(number)
        try:
            for frames, pictures in media.pictures(Frames.at(rows), size):
                found = [(number, place) for place, frame in enumerate(frames.tolist()) for number in rows[frame]]
                yield [number for number, _ in found], pictures[[place for _, place in found]]
        except (BadMedia, OSError) as error:
            self.problems.setdefault(media.digest, str(error))


class _Batch:
    """Pictures on their way out."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._numbers: list[int] = []
        self._pictures: list[Pictures] = []

    def add(self, number: int, picture: Pictures | None) -> Iterator[tuple[Ids, Pictures]]:
        if picture is not None:
            self._numbers.append(number)
            self._pictures.append(picture)
        if len(self._numbers) == BATCH:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[Ids, Pictures]]:
        if self._numbers:
            yield np.array(self._numbers, np.int64), np.stack(self._pictures)
        self._numbers, self._pictures = [], []


def _landed(waiting: deque[tuple[int, Future[Pictures | None]]]) -> tuple[int, Pictures | None]:
    number, future = waiting.popleft()
    return number, future.result()
