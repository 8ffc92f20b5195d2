"""The encoder of an ensemble: the embeddings of its members beside each other, brought to norm 1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..contract import Embeddings, Encoder, EncoderSpec, Pictures

# Raise it with every change that moves an embedding.
VERSION = "ensemble-1"
PLUGIN = "ensemble"


class EnsembleEncoder:
    """Pictures come at the largest size that a member wants, and are made smaller for the others."""

    def __init__(self, members: Sequence[Encoder]) -> None:
        self.members = list(members)
        specs = [member.spec for member in self.members]
        made_of = "\n".join([VERSION, *(spec.digest for spec in specs)])
        self.spec = EncoderSpec(
            name=f"ensemble of {' and '.join(spec.name for spec in specs)}",
            dim=sum(spec.dim for spec in specs),
            input_size=(max(spec.input_size[0] for spec in specs), max(spec.input_size[1] for spec in specs)),
            digest=hashlib.sha256(made_of.encode()).hexdigest()[:32],
            licence=", ".join(dict.fromkeys(spec.licence for spec in specs)),
            reason="; ".join(spec.reason for spec in specs),
        )

    def encode(self, frames: Pictures) -> Embeddings:
        found = [member.encode(_resized(frames, member.spec.input_size)) for member in self.members]
        return np.asarray(np.concatenate(found, axis=1) / np.sqrt(len(found)), np.float32)


def _resized(frames: Pictures, size: tuple[int, int]) -> Pictures:
    if frames.shape[1:3] == size:
        return frames
    height, width = size
    smaller = [Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC) for frame in frames]
    return np.stack([np.asarray(picture, np.uint8) for picture in smaller])


_: type[Encoder] = EnsembleEncoder
