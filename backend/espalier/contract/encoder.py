"""The role of an encoder, and what one may do besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .arrays import Embeddings, Pictures


@dataclass(frozen=True)
class EncoderSpec:
    """What an encoder is. Embeddings of two encoders are never mixed: `digest` tells them apart."""

    name: str
    dim: int
    input_size: tuple[int, int]
    """(height, width) of the pictures that `encode` gets; they are resized to it, not cropped, while decoding."""
    digest: str
    """16 or more hex digits over weights and preprocessing; equal digests must mean equal embeddings."""
    licence: str = "unknown"
    reason: str = ""
    """Why this encoder was chosen, in words for people."""


@dataclass(frozen=True)
class EncoderRequest:
    """What the person asked for; an encoder takes what concerns it."""

    model: str | None = None
    preset: str = "balanced"
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:n`; to be obeyed or refused with BadSetting."""
    precision: str = "auto"
    """`auto`, `fp32`, `bf16` or `int8`."""
    threads: int = 0
    """0 means one per physical core."""
    weights_dir: Path | None = None
    cache_dir: Path | None = None
    """Where converted models may be kept between starts."""
    calibration: Pictures | None = field(default=None, compare=False)
    """Some of the project's own frames, for encoders that must check an approximation on them."""
    directory: Path | None = None
    """An own network that a tuner has written; then `model` and `weights_dir` do not matter."""


@runtime_checkable
class Encoder(Protocol):
    """Turns pictures into vectors, and never sees a label.

    `encode` gets RGB uint8 (n, height, width, 3) of `spec.input_size`, n >= 1, and returns float32 (n, spec.dim) in the
    order given, finite, rows of Euclidean norm 1 (+-1e-3). It keeps no reference to the pictures. It is called from
    one thread at a time, and equal pictures give equal rows.
    """

    spec: EncoderSpec

    def encode(self, frames: Pictures) -> Embeddings: ...


class EncoderClass(Protocol):
    """What the entry point of an encoder names."""

    def open(self, request: EncoderRequest) -> Encoder:
        """Load it. Raises NoWeights or BadSetting with what to do."""
        ...


@runtime_checkable
class StreamEncoder(Encoder, Protocol):
    """An encoder that keeps its device busy while the next batch is decoded (optional)."""

    def encode_stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        """One array per batch, in order. Pulls a few batches ahead; a batch may be reused once its answer came."""
        ...


@runtime_checkable
class OnnxEncoder(Encoder, Protocol):
    """An encoder that can be taken away (optional)."""

    def export_onnx(self, path: Path) -> None:
        """Write a network from uint8 (n, height, width, 3) to float32 (n, dim) of norm 1, for any n."""
        ...


@runtime_checkable
class ExplainingEncoder(Encoder, Protocol):
    """An encoder that can show where in a picture it looks (optional)."""

    def explain(self, frame: Pictures, direction: NDArray[np.float32], *, method: str = "auto") -> NDArray[np.float32]:
        """Where the component of the embedding along `direction`, float32 (dim,), comes from.

        frame: uint8 (height, width, 3) of `spec.input_size`. float32 (rows, columns), 0 and up, laid over the frame.
        The direction of a class is its row of a linear classifier's coefficients, or its mean embedding.
        """
        ...


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """An encoder that puts words into the same space as pictures (optional), so that frames are found by them."""

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """float32 (n, spec.dim), rows of norm 1."""
        ...
