"""Where no pretrained network can be had: colours on a grid and edge directions on a finer one.

It tells day from night and red from green; it does not know what a cat is, and says so in `spec.reason`.
"""

from __future__ import annotations

import hashlib

import numpy as np

from espalier.contract import Embeddings, Encoder, EncoderClass, EncoderRequest, EncoderSpec, Pictures
from espalier.errors import BadSetting

from .colour import COLOURS, colour_shares
from .gradient import CELL, DIRECTIONS, gradient_shares

SIDE = 96
# Raise it with every change that moves an embedding: it is all that the digest is made of.
VERSION = "classic-1"
GRID = 3


class ClassicEncoder:
    """Colour words on a 3 x 3 grid and gradient directions on a 6 x 6 grid; square roots, then norm 1.

    The square root makes the dot product of two histograms their Bhattacharyya overlap, so that one large even
    surface does not drown everything else.
    """

    def __init__(self) -> None:
        self.spec = EncoderSpec(
            name="classic",
            dim=COLOURS * GRID * GRID + DIRECTIONS * (SIDE // CELL) ** 2,
            input_size=(SIDE, SIDE),
            digest=hashlib.sha256(VERSION.encode()).hexdigest()[:32],
            licence="Apache-2.0",
            reason="colour and edge histograms: no weights needed, and no idea of what is in the picture",
        )

    @classmethod
    def open(cls, request: EncoderRequest) -> ClassicEncoder:
        """Raises BadSetting for a model (it has none) and for any device but the CPU."""
        if request.model:
            raise BadSetting(f"encoder 'classic' has no models to choose from, got {request.model!r}; use `classic`")
        if request.device not in {"auto", "cpu"}:
            raise BadSetting(f"encoder 'classic' runs on the CPU only, got device={request.device!r}; use cpu or auto")
        return cls()

    def encode(self, frames: Pictures) -> Embeddings:
        if frames.dtype != np.uint8 or frames.shape[1:] != (SIDE, SIDE, 3):
            raise ValueError(f"expected uint8 (n, {SIDE}, {SIDE}, 3), got {frames.dtype} {frames.shape}")
        rows = np.empty((len(frames), self.spec.dim), np.float32)
        split = COLOURS * GRID * GRID
        # Small blocks keep the intermediate arrays in the processor's cache.
        for start in range(0, len(frames), 8):
            block = frames[start : start + 8]
            rows[start : start + 8, :split] = colour_shares(block, GRID)
            rows[start : start + 8, split:] = gradient_shares(block)
        np.sqrt(rows, out=rows)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


_: type[Encoder] = ClassicEncoder
__: EncoderClass = ClassicEncoder
