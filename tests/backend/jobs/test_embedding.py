"""Embedding: what is missing is computed once, what cannot be read is reported, what was finished is kept."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from espalier.contract import Embeddings, EncoderSpec, Ids, Pictures
from espalier.errors import BadMedia, Cancelled
from espalier.jobs.embedding import embed
from espalier.jobs.frame_batches import BATCHES_AHEAD, IMAGES_AHEAD
from espalier.store.embeddings import EmbeddingStore, Key
from espalier_ontology.frames import Frames

SIZE = (4, 4)


class CountingEncoder:
    """A frame's number is written into its first two pixels; the embedding tells it, and `seen` counts it."""

    spec = EncoderSpec("counting", 3, SIZE, "c0c0c0c0c0c0c0c0")

    def __init__(self, pause_s: float = 0.0) -> None:
        self.pause_s = pause_s
        self.seen = 0

    def encode(self, frames: Pictures) -> Embeddings:
        time.sleep(self.pause_s)
        self.seen += len(frames)
        return expected(frames[:, 0, 0, 0].astype(np.int64) * 256 + frames[:, 0, 0, 1])


class StreamingEncoder(CountingEncoder):
    def encode_stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        """Two batches behind, as a device that is kept busy."""
        waiting: list[Embeddings] = []
        for batch in batches:
            waiting.append(self.encode(batch))
            if len(waiting) > 2:
                yield waiting.pop(0)
        yield from waiting


def expected(numbers: Ids) -> Embeddings:
    angles = numbers / 1000
    return np.stack([np.cos(angles), np.sin(angles), np.zeros(len(angles))], axis=1).astype(np.float32)


@dataclass(eq=False)
class FakeMedia:
    """Frames with their number in them; `broken` ones raise as the media room does, after the others."""

    kind: str
    length: int
    name: str = "one"
    broken: Frames = Frames()
    offset: int = 0
    asked: list[Frames] = field(default_factory=list)
    ahead: list[int] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    def key(self, frame: int) -> Key:
        return (self.digest, frame) if self.kind == "video" else (f"{self.digest}{frame or ''}", 0)

    def pictures(self, frames: Frames, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
        assert size == SIZE
        self.asked.append(frames)
        numbers = np.array(list(frames - self.broken), np.int64)
        for start in range(0, len(numbers), 20):
            part = numbers[start : start + 20]
            self.ahead.append(int(part[-1]))
            pictures = np.zeros((len(part), *size, 3), np.uint8)
            pictures[:, 0, 0, 0], pictures[:, 0, 0, 1] = divmod(part + self.offset, 256)
            yield part, pictures
        if frames & self.broken:
            raise BadMedia(f"{self.name}: {len(frames & self.broken)} frames cannot be decoded", frames & self.broken)


@dataclass
class Watcher:
    stop_at: int | None = None
    reports: list[tuple[int, int]] = field(default_factory=list)

    def report(self, done: int, total: int, message: str = "") -> None:
        self.reports.append((done, total))
        if self.stop_at is not None and done >= self.stop_at:
            raise Cancelled("cancelled by a person; what was finished is kept")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddingStore]:
    store = EmbeddingStore(tmp_path)
    yield store
    store.close()


@pytest.fixture(params=[CountingEncoder, StreamingEncoder], ids=["batch by batch", "streaming"])
def encoder(request: pytest.FixtureRequest) -> CountingEncoder:
    return request.param()  # type: ignore[no-any-return]


def test_every_kind_of_media_ends_in_the_store(encoder: CountingEncoder, store: EmbeddingStore) -> None:
    video = FakeMedia("video", 500, "video")
    sequence = FakeMedia("sequence", 90, "sequence", offset=1000)
    images = [FakeMedia("image", 1, f"image {n}", offset=2000 + n) for n in range(70)]
    watcher = Watcher()
    work = [(images[0], Frames.of((0, 1))), (video, Frames.of((0, 500))), (sequence, Frames.of((0, 90)))]
    work += [(image, Frames.of((0, 1))) for image in images[1:]]
    report = embed(work, encoder, store, progress=watcher)
    assert (report.frames, report.held, report.failures) == (660, 0, [])
    assert encoder.seen == 660
    numbers, rows = store.read(encoder.spec.digest, video.digest, Frames.of((0, 500)))
    assert np.allclose(rows, expected(numbers), atol=1e-3)
    rows = store.read_many(encoder.spec.digest, [sequence.key(frame) for frame in range(90)])
    assert np.allclose(rows, expected(np.arange(1000, 1090)), atol=1e-3)
    rows = store.read_many(encoder.spec.digest, [image.key(0) for image in images])
    assert np.allclose(rows, expected(np.arange(2000, 2070)), atol=1e-3)
    assert watcher.reports[-1] == (660, 660)
    assert sorted(watcher.reports) == watcher.reports


def test_nothing_is_computed_twice(encoder: CountingEncoder, store: EmbeddingStore) -> None:
    video = FakeMedia("video", 300)
    embed([(video, Frames.of((0, 100)))], encoder, store)
    watcher = Watcher()
    image = FakeMedia("image", 1, "image")
    twin = FakeMedia("image", 1, "image")
    work = [(video, Frames.of((50, 200))), (video, Frames.of((150, 250))), (image, Frames.of((0, 1)))]
    report = embed([*work, (twin, Frames.of((0, 1)))], encoder, store, progress=watcher)
    assert video.asked == [Frames.of((0, 100)), Frames.of((100, 200)), Frames.of((200, 250))]
    assert (report.frames, report.held, encoder.seen) == (151, 101, 251)
    assert watcher.reports[-1] == (252, 252)
    again = embed(work, encoder, store)
    assert (again.frames, again.held, encoder.seen) == (0, 251, 251)


def test_frames_past_the_end_are_left_out(encoder: CountingEncoder, store: EmbeddingStore) -> None:
    assert embed([(FakeMedia("video", 30), Frames.of((20, 900)))], encoder, store).frames == 10


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(encoder: CountingEncoder, store: EmbeddingStore) -> None:
    torn = FakeMedia("video", 100, "torn", broken=Frames.of((60, 70)))
    sequence = FakeMedia("sequence", 10, "sequence", broken=Frames.at([2, 5]))
    gone = FakeMedia("image", 1, "gone", broken=Frames.of((0, 1)))
    good = FakeMedia("image", 1, "good")
    watcher = Watcher()
    work = [(media, Frames.of((0, 1000))) for media in (torn, gone, sequence, good)]
    report = embed(work, encoder, store, progress=watcher)
    assert report.frames == 90 + 8 + 1
    assert {media.name: message for media, message in report.failures} == {
        "torn": "torn: 10 frames cannot be decoded",
        "gone": "gone: 1 frames cannot be decoded",
        "sequence": "sequence: 1 frames cannot be decoded (and 1 more items)",
    }
    assert watcher.reports[-1] == (112, 112)
    assert store.missing(encoder.spec.digest, torn.digest, Frames.of((0, 100))) == Frames.of((60, 70))


def test_a_cancelled_job_keeps_what_was_finished(encoder: CountingEncoder, store: EmbeddingStore) -> None:
    video = FakeMedia("video", 5000)
    before = threading.active_count()
    with pytest.raises(Cancelled):
        embed([(video, Frames.of((0, 5000)))], encoder, store, progress=Watcher(stop_at=320))
    assert store.count(encoder.spec.digest) >= 320
    assert threading.active_count() == before
    done = store.count(encoder.spec.digest)
    seen = encoder.seen
    assert embed([(video, Frames.of((0, 5000)))], encoder, store).frames == 5000 - done
    assert encoder.seen - seen == 5000 - done


def test_reading_stays_a_few_batches_ahead(store: EmbeddingStore) -> None:
    encoder = CountingEncoder()
    video = FakeMedia("video", 4000)

    class Lag:
        worst = 0

        def report(self, done: int, total: int, message: str = "") -> None:
            time.sleep(0.001)
            if video.ahead:
                self.worst = max(self.worst, video.ahead[-1] - done)

    lag = Lag()
    embed([(video, Frames.of((0, 4000)))], encoder, store, progress=lag)
    assert 32 < lag.worst <= 32 * (BATCHES_AHEAD + 4)


def test_images_are_read_a_bounded_number_ahead(store: EmbeddingStore) -> None:
    encoder = CountingEncoder(pause_s=0.002)
    opened: list[int] = []

    def work() -> Iterator[tuple[FakeMedia, Frames]]:
        for number in range(1000):
            opened.append(number)
            assert number - encoder.seen <= 32 * (BATCHES_AHEAD + 4) + IMAGES_AHEAD
            yield FakeMedia("image", 1, f"image {number}"), Frames.of((0, 1))

    assert embed(work(), encoder, store).frames == 1000
    assert len(opened) == 1000


def test_what_the_work_raises_is_raised(encoder: CountingEncoder, store: EmbeddingStore) -> None:
    def work() -> Iterator[tuple[FakeMedia, Frames]]:
        yield FakeMedia("video", 64), Frames.of((0, 64))
        raise ConnectionError("the server went away")

    with pytest.raises(ConnectionError, match="went away"):
        embed(work(), encoder, store)


def test_what_the_encoder_raises_is_raised_and_the_threads_end(store: EmbeddingStore) -> None:
    class Broken(CountingEncoder):
        def encode(self, frames: Pictures) -> Embeddings:
            if self.seen >= 64:
                raise RuntimeError("out of memory")
            return super().encode(frames)

    encoder = Broken()
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="out of memory"):
        embed([(FakeMedia("video", 5000), Frames.of((0, 5000)))], encoder, store)
    assert threading.active_count() == before
    assert store.count(encoder.spec.digest) == 64


def test_no_work_is_no_trouble(encoder: CountingEncoder, store: EmbeddingStore) -> None:
    work: list[tuple[FakeMedia, Frames]] = []
    report = embed(work, encoder, store, progress=Watcher())
    assert (report.frames, report.held, report.failures) == (0, 0, [])
