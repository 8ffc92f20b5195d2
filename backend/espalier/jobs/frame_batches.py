"""Frames that have no embedding yet, as batches of pictures: read ahead by threads of its own, a few batches at most.

One thread walks through the work and decodes videos (libav brings its own threads); images are read by a small pool.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Ids, Pictures
from ..errors import BadMedia
from ..store.embeddings import EmbeddingStore, Key

BATCH = 32
BATCHES_AHEAD = 4
IMAGES_AHEAD = 48
BEAT_S = 0.5


class Embeddable(Protocol):
    """What is needed of a `media.media.Media`."""

    @property
    def kind(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def length(self) -> int: ...

    def key(self, frame: int) -> Key: ...

    def pictures(self, frames: Frames, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]: ...


M = TypeVar("M", bound=Embeddable)


@dataclass(frozen=True)
class Batch:
    """keys: one per picture. uint8 (n, height, width, 3), n <= 32; several media may share one."""

    keys: list[Key]
    pictures: Pictures


@dataclass(frozen=True)
class Failure(Generic[M]):
    media: M
    message: str
    frames: int


class FrameBatches(Generic[M]):
    """Iterate over it once, inside `with`. Afterwards `held` and `failures` are complete.

    `beat` is called while there is nothing to hand out yet; what it raises ends the iteration.
    """

    def __init__(
        self,
        work: Iterable[tuple[M, Frames]],
        store: EmbeddingStore,
        encoder_digest: str,
        size: tuple[int, int],
        beat: Callable[[], None],
    ) -> None:
        self.held = 0
        """Frames that were there already, or came twice."""
        self.failures: list[Failure[M]] = []
        self._work, self._store, self._encoder, self._size, self._beat = work, store, encoder_digest, size, beat
        self._claimed_images: set[Key] = set()
        self._claimed_frames: dict[str, Frames] = {}  # of videos
        self._keys: list[Key] = []
        self._pictures = np.empty((BATCH, *size, 3), np.uint8)
        self._images: deque[tuple[M, int, Future[Pictures]]] = deque()
        self._ready: queue.Queue[Batch | BaseException | None] = queue.Queue(BATCHES_AHEAD)
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="read-image")
        self._thread = threading.Thread(target=self._produce, name="read-frames", daemon=True)

    def __enter__(self) -> FrameBatches[M]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            # It may be waiting for room in the queue.
            while not self._ready.empty():
                self._ready.get_nowait()
            self._thread.join(0.05)
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[Batch]:
        while True:
            try:
                batch = self._ready.get(timeout=BEAT_S)
            except queue.Empty:
                self._beat()
                continue
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield batch

    def _produce(self) -> None:
        try:
            for media, frames in self._work:
                if self._stopped.is_set():
                    return
                wanted = frames & Frames.of((0, media.length))
                if media.kind == "video":
                    self._land_images(0)
                    self._read_video(media, wanted)
                else:
                    self._read_images(media, wanted)
            self._land_images(0)
            self._hand_out()
            self._put(None)
        except BaseException as error:  # noqa: BLE001 - it belongs to the thread that iterates, and is raised there
            self._put(error)

    def _read_video(self, media: M, wanted: Frames) -> None:
        claimed = self._claimed_frames.get(media.digest, Frames())
        missing = self._store.missing(self._encoder, media.digest, wanted) - claimed
        self._claimed_frames[media.digest] = claimed | missing
        self.held += len(wanted) - len(missing)
        if not missing:
            return
        read = 0
        message = ""
        try:
            for numbers, pictures in media.pictures(missing, self._size):
                if self._stopped.is_set():
                    return
                read += len(numbers)
                self._add([media.key(number) for number in numbers.tolist()], pictures)
        except (BadMedia, OSError) as error:
            message = str(error)
        if read < len(missing):
            lost = len(missing) - read
            message = message or f"{lost} of {len(missing)} frames could not be read"
            self.failures.append(Failure(media, message, lost))

    def _read_images(self, media: M, wanted: Frames) -> None:
        for frame in wanted:
            key = media.key(frame)
            one = Frames.of((key[1], key[1] + 1))
            if key in self._claimed_images or not self._store.missing(self._encoder, key[0], one):
                self.held += 1
                continue
            self._claimed_images.add(key)
            self._images.append((media, frame, self._pool.submit(self._read_image, media, frame)))
            self._land_images(IMAGES_AHEAD)
            if self._stopped.is_set():
                return

    def _read_image(self, media: M, frame: int) -> Pictures:
        for _, pictures in media.pictures(Frames.of((frame, frame + 1)), self._size):
            return pictures
        raise BadMedia(f"frame {frame + 1} of {media.digest[:12]} could not be read")

    def _land_images(self, leave: int) -> None:
        """Pass on the oldest images until only so many are still being read."""
        while len(self._images) > leave and not self._stopped.is_set():
            media, frame, future = self._images.popleft()
            try:
                pictures = future.result()
            except (BadMedia, OSError) as error:
                self.failures.append(Failure(media, str(error), 1))
                continue
            self._add([media.key(frame)], pictures)

    def _add(self, keys: list[Key], pictures: Pictures) -> None:
        start = 0
        while start < len(keys):
            count = min(BATCH - len(self._keys), len(keys) - start)
            self._pictures[len(self._keys) : len(self._keys) + count] = pictures[start : start + count]
            self._keys += keys[start : start + count]
            start += count
            if len(self._keys) == BATCH:
                self._hand_out()

    def _hand_out(self) -> None:
        if self._keys:
            self._put(Batch(self._keys, self._pictures[: len(self._keys)]))
            self._keys, self._pictures = [], np.empty_like(self._pictures)

    def _put(self, item: Batch | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                self._ready.put(item, timeout=BEAT_S)
            except queue.Full:
                continue
            return
