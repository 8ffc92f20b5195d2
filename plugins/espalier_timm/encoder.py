"""The encoder: finds weights, device and runtime, and turns features into embeddings."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from espalier.contract import (
    Embeddings,
    EncoderClass,
    EncoderRequest,
    EncoderSpec,
    ExplainingEncoder,
    OnnxEncoder,
    Pictures,
    StreamEncoder,
)
from espalier.errors import BadRequest, BadSetting, NoWeights

from . import converted, device
from .network import Description, build
from .runtime import Runtime, unit
from .weights import Weights, find_weights

if TYPE_CHECKING:
    from .explanation import Explainer

# Raise it with every change that moves an embedding.
VERSION = "timm-1"


class TimmEncoder:
    """Any timm network without its head: pooled features, brought to norm 1."""

    def __init__(self, spec: EncoderSpec, runtime: Runtime, weights: Weights | None = None) -> None:
        """weights: what `network.build` makes the network of again, for those who need it in torch."""
        self.spec = spec
        self.runtime = runtime
        self.weights = weights
        self._explainer: Explainer | None = None

    @classmethod
    def open(cls, request: EncoderRequest) -> TimmEncoder:
        """Raises NoWeights naming the places tried, BadSetting for a device, model or weights that cannot be used.

        `request.directory` opens an own network; BadModel is raised where it is not as the tuner wrote it.
        """
        if importlib.util.find_spec("timm") is None:
            raise NoWeights("timm is not installed: pip install 'label-studio-espalier[timm]' for pretrained networks")
        kind, name = device.resolve(request.device)
        weights = find_weights(request, kind)
        sha256 = weights.digest()
        remark = ""
        runtime: Runtime
        if kind == "cpu" and importlib.util.find_spec("openvino") is not None:
            runtime, description, remark = _on_openvino(request, weights, sha256)
        else:
            runtime, description, remark = _on_torch(request, weights, kind, name)
        about = f"{weights.reason}; on {name} with {runtime.name} {runtime.precision}"
        origin = "@tuned" if weights.directory else "" if weights.path else "@random"
        spec = EncoderSpec(
            name=f"timm:{weights.model}{origin}",
            dim=description.dim,
            input_size=description.input_size,
            digest=_digest(description, sha256, runtime),
            licence=description.licence,
            reason=f"{about}; {remark}" if remark else about,
        )
        return cls(spec, runtime, weights)

    def encode(self, frames: Pictures) -> Embeddings:
        return next(iter(self.encode_stream([frames])))

    def encode_stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        for features in self.runtime.stream(batches):
            yield unit(features)

    def explain(self, frame: Pictures, direction: NDArray[np.float32], *, method: str = "auto") -> NDArray[np.float32]:
        """See `explanation.Explainer`, whose methods these are. Opens the network in torch the first time."""
        if self._explainer is None:
            from .explanation import Explainer

            if self.weights is None:
                raise BadRequest(f"{self.spec.name} was opened without its weights; use occlusion")
            self._explainer = Explainer(self.weights)
        return self._explainer(frame, direction, method)

    def export_onnx(self, path: Path) -> None:
        """As fp32, from the weights: what the bundle of a version answers with where there is no torch.

        Raises BadSetting where it cannot be written here.
        """
        from .onnx_export import export

        if self.weights is None:
            raise BadSetting(f"{self.spec.name} was made without weights that it could be written from")
        export(*build(self.weights), path)


def _on_openvino(request: EncoderRequest, weights: Weights, sha256: str) -> tuple[Runtime, Description, str]:
    from .int8 import quantised
    from .openvino_graph import convert
    from .openvino_runtime import OpenVinoRuntime
    from .precision import choose

    exact: Any
    place = converted.place(request.cache_dir, weights.model, sha256, "float") if request.cache_dir else None
    kept = converted.load(place) if place else None
    if kept is not None:
        exact, description = kept.graph, kept.description
    else:
        module, description = build(weights)
        exact = convert(module, description)
        if place is not None:
            converted.keep(place, exact, description)
    asked, refused = request.precision, ""
    if asked == "int8":
        graph, remark = quantised(request, weights, sha256, exact, description)
        if graph is not None:
            return OpenVinoRuntime(graph, "int8", request.threads), description, remark
        asked, refused = "auto", f"int8 was asked for: {remark}"
    precision, remark = choose(asked, exact, description.input_size, place, random=weights.path is None)
    runtime = OpenVinoRuntime(exact, precision, request.threads)
    return runtime, description, "; ".join(part for part in (refused, remark) if part)


def _on_torch(request: EncoderRequest, weights: Weights, kind: str, name: str) -> tuple[Runtime, Description, str]:
    from .torch_runtime import TorchRuntime

    module, description = build(weights)
    remark = "int8 was asked for: it needs OpenVINO on the CPU" if request.precision == "int8" else ""
    # bf16 loses to fp32 on most small networks under torch on a CPU; on a GPU it always wins.
    wants_bf16 = request.precision == "bf16" or (kind == "cuda" and request.precision != "fp32")
    precision = "bf16" if wants_bf16 else "fp32"
    if kind == "cuda" and precision == "bf16":
        import torch

        if not torch.cuda.is_bf16_supported(including_emulation=False):
            if request.precision == "bf16":
                raise BadSetting(f"ESPALIER_PRECISION=bf16, but {name} has no bf16; use auto or fp32")
            precision = "fp32"
    return TorchRuntime(module, description, name, precision, request.threads), description, remark


def _digest(description: Description, weights_sha256: str, runtime: Runtime) -> str:
    """What an embedding depends on: network, weights, the pictures' form, and the arithmetic. 32 hex digits."""
    made_of = [
        VERSION,
        description.model.partition(".")[0],
        weights_sha256,
        description.input_size,
        description.mean,
        description.std,
        "squash",
        runtime.name,
        runtime.precision,
    ]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]


_: type[StreamEncoder] = TimmEncoder
__: EncoderClass = TimmEncoder
___: type[OnnxEncoder] = TimmEncoder
____: type[ExplainingEncoder] = TimmEncoder
