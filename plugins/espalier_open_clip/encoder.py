"""The encoder: pictures as every encoder takes them, and words beside them in the same space."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from espalier.contract import (
    Embeddings,
    EncoderClass,
    EncoderRequest,
    EncoderSpec,
    OnnxEncoder,
    Pictures,
    StreamEncoder,
    TextEncoder,
)
from espalier.errors import BadRequest, BadSetting, NoWeights
from espalier_timm import device, own_network
from espalier_timm.description import Description
from espalier_timm.runtime import unit
from espalier_timm.torch_runtime import TorchRuntime

from .directory import find_directory
from .network import build, picture_tower

# Raise it with every change that moves an embedding.
VERSION = "open_clip-1"
TEXTS_AT_ONCE = 64


class OpenClipEncoder:
    """Any network that open_clip can make, from a directory on this disk; both towers' features brought to norm 1."""

    def __init__(
        self, spec: EncoderSpec, module: Any, tokenizer: Any, description: Description, runtime: TorchRuntime
    ) -> None:
        self.spec = spec
        self.module, self.tokenizer, self.description, self.runtime = module, tokenizer, description, runtime

    @classmethod
    def open(cls, request: EncoderRequest) -> OpenClipEncoder:
        """Raises NoWeights with what to put where, BadSetting for a device or network that cannot be used."""
        if importlib.util.find_spec("open_clip") is None:
            raise NoWeights("open_clip is not installed: pip install 'label-studio-espalier[open-clip]'")
        found = find_directory(request)
        kind, name = device.resolve(request.device)
        precision, remark = _precision(request.precision, kind)
        module, tokenizer, description = build(found)
        runtime = TorchRuntime(picture_tower(module), description, name, precision, request.threads)
        about = f"{found.reason}; weights from {found.weights.name}; on {name} with {runtime.name} {precision}"
        spec = EncoderSpec(
            name=f"open_clip:{description.model}",
            dim=description.dim,
            input_size=description.input_size,
            digest=_digest(found.config, description, own_network.sha256(found.weights), runtime),
            licence=description.licence,
            reason=f"{about}; {remark}" if remark else about,
        )
        return cls(spec, module, tokenizer, description, runtime)

    def encode(self, frames: Pictures) -> Embeddings:
        return next(iter(self.encode_stream([frames])))

    def encode_stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        for features in self.runtime.stream(batches):
            yield unit(features)

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """What is longer than the network reads (77 tokens, usually) is cut, as open_clip does.

        Raises BadRequest for a text without a word.
        """
        import torch

        empty = [place for place, text in enumerate(texts, start=1) if not text.strip()]
        if empty:
            raise BadRequest(f"text {empty[0]} of {len(texts)} is empty; say in a few words what the frames show")
        rows = [np.empty((0, self.spec.dim), np.float32)]
        for at in range(0, len(texts), TEXTS_AT_ONCE):
            with torch.inference_mode():
                tokens = self.tokenizer(list(texts[at : at + TEXTS_AT_ONCE])).to(self.runtime.device)
                rows.append(self.module.encode_text(tokens).float().cpu().numpy())
        return unit(np.concatenate(rows))

    def export_onnx(self, path: Path) -> None:
        """The tower that reads pictures, as fp32. Raises BadSetting where it cannot be written here."""
        from espalier_timm.onnx_export import export

        if self.runtime.on_gpu:
            raise BadSetting("ONNX is written from a network on the CPU; open it there: ESPALIER_DEVICE=cpu")
        export(self.runtime.module, self.description, path)


def _precision(asked: str, kind: str) -> tuple[str, str]:
    """What it becomes, and a remark where that is not what was asked for."""
    if asked == "int8":
        return ("bf16" if kind == "cuda" else "fp32"), "int8 was asked for: open_clip's networks have none here"
    if asked == "auto":
        return ("bf16" if kind == "cuda" else "fp32"), ""
    return asked, ""


def _digest(config: dict[str, Any], description: Description, weights_sha256: str, runtime: TorchRuntime) -> str:
    """What an embedding depends on: network, weights, the pictures' form, and the arithmetic. 32 hex digits."""
    made_of = [
        VERSION,
        config["model_cfg"],
        weights_sha256,
        description.input_size,
        description.mean,
        description.std,
        "squash",
        runtime.name,
        runtime.precision,
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]


_: type[StreamEncoder] = OpenClipEncoder
__: EncoderClass = OpenClipEncoder
___: type[TextEncoder] = OpenClipEncoder
____: type[OnnxEncoder] = OpenClipEncoder
