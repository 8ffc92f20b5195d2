"""Embedding: frames in, rows in the store, and nothing computed twice.

While the device is busy with one batch the next one is being decoded, and the one before is being written.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import Generic, Protocol

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Embeddings, Encoder, Pictures, StreamEncoder
from ..store.embeddings import EmbeddingStore, Key
from .frame_batches import FrameBatches, M

MESSAGE = "embedding frames"
ROWS_KEPT = 256
SECONDS_KEPT = 5.0


class Reports(Protocol):
    """What is needed of a `jobs.progress.Progress`: it may raise to stop the work."""

    def report(self, done: int, total: int, message: str = "") -> None: ...


@dataclass(frozen=True)
class EmbeddingReport(Generic[M]):
    """frames: embedded now. held: frames that had an embedding already. failures: (media, why), one per media."""

    frames: int
    held: int
    seconds: float
    failures: list[tuple[M, str]] = field(default_factory=list)


def embed(
    work: Iterable[tuple[M, Frames]], encoder: Encoder, store: EmbeddingStore, *, progress: Reports | None = None
) -> EmbeddingReport[M]:
    """Embed these frames of these media, as far as the store has them not. Frames past a media's end are left out.

    A media that cannot be read, or not wholly, is among the failures, and the rest goes on. What was finished is kept
    when `progress.report`, the encoder or the work itself raises. `work` may be lazy: it is drawn from by a thread.
    """
    started = time.monotonic()
    # A job that opens its media while it runs cannot say beforehand how much there will be.
    total = sum(len(frames & Frames.of((0, media.length))) for media, frames in work) if isinstance(work, Sized) else 0
    embedded = 0

    def report() -> None:
        if progress is not None:
            lost = sum(failure.frames for failure in source.failures)
            progress.report(embedded + source.held + lost, total, MESSAGE)

    sink = _Sink(store, encoder.spec.digest)
    flying: deque[list[Key]] = deque()
    source = FrameBatches(work, store, encoder.spec.digest, encoder.spec.input_size, report)

    def pictures() -> Iterator[Pictures]:
        for batch in source:
            flying.append(batch.keys)
            yield batch.pictures

    with source, sink:
        for rows in _encode(encoder, pictures()):
            keys = flying.popleft()
            sink.add(keys, rows)
            embedded += len(keys)
            report()
    report()
    return EmbeddingReport(embedded, source.held, time.monotonic() - started, _by_media(source))


class _Sink:
    """Rows on their way to the store: written a block's worth at a time, and at the end, also at a sudden one."""

    def __init__(self, store: EmbeddingStore, encoder_digest: str) -> None:
        self.store, self.encoder_digest = store, encoder_digest
        self.keys: list[Key] = []
        self.rows: list[Embeddings] = []
        self.written_at = time.monotonic()

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self.write()

    def add(self, keys: list[Key], rows: Embeddings) -> None:
        self.keys += keys
        self.rows.append(rows)
        if len(self.keys) >= ROWS_KEPT or time.monotonic() - self.written_at > SECONDS_KEPT:
            self.write()

    def write(self) -> None:
        if self.keys:
            self.store.write_many(self.encoder_digest, self.keys, np.concatenate(self.rows))
        self.keys, self.rows, self.written_at = [], [], time.monotonic()


def _encode(encoder: Encoder, batches: Iterator[Pictures]) -> Iterator[Embeddings]:
    return encoder.encode_stream(batches) if isinstance(encoder, StreamEncoder) else map(encoder.encode, batches)


def _by_media(source: FrameBatches[M]) -> list[tuple[M, str]]:
    """The failures, those of one media joined into one sentence."""
    messages: dict[int, tuple[M, list[str]]] = {}
    for failure in source.failures:
        messages.setdefault(id(failure.media), (failure.media, []))[1].append(failure.message)
    return [
        (media, texts[0] if len(texts) == 1 else f"{texts[0]} (and {len(texts) - 1} more items)")
        for media, texts in messages.values()
    ]
