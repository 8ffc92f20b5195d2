"""The smallest useful plugin: twelve numbers a frame, four brightness levels for each of red, green and blue."""

import numpy as np

from espalier.contract import Embeddings, EncoderRequest, EncoderSpec, Pictures


class ColourEncoder:
    spec = EncoderSpec(
        name="colour", dim=12, input_size=(32, 32), digest="c0105c0105c01050", licence="CC0", reason="twelve colours"
    )

    @classmethod
    def open(cls, request: EncoderRequest) -> "ColourEncoder":
        return cls()

    def encode(self, frames: Pictures) -> Embeddings:
        levels = frames.reshape(len(frames), -1, 3) // 64
        shares = np.stack([(levels == level).mean(axis=1) for level in range(4)], axis=1)
        rows = shares.reshape(len(frames), -1).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows
