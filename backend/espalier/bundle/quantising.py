"""The network in 8 bits: as much of it as keeps the answers, tried on the project's own frames.

Activations in 8 bits are what costs answers, above all those of the first layers, and what saves time. So the whole is
tried first, then all but the first quarter and the first half, and at last weights alone, which saves disk, not time.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..contract import Pictures
from ..errors import BadRequest, BadSetting
from .onnx_network import PICTURES

LEAST = 32
"""Frames that are needed to set the scales, and again to choose by."""
ENOUGH = 0.995
"""What must agree on the frames to choose by, so that 0.99 holds on others."""
_FLOAT_SHARES = {"weights and activations": 0.0, "all but the first quarter": 0.25, "all but the first half": 0.5}
WEIGHTS = "weights alone"
_HEAVY = ("Conv", "Gemm", "MatMul")


@dataclass(frozen=True)
class Quantised:
    """How it was made, in words, and which ways were tried before and with which share of equal answers."""

    way: str
    tried: dict[str, float]


def quantise(network: Path, path: Path, scales: Pictures, choosing: Pictures, agrees: Callable[[], float]) -> Quantised:
    """Write the network in 8 bits, as far as `agrees` (of what is written, on the frames to choose by) keeps to ENOUGH.

    Raises BadRequest where there are too few frames, BadSetting where what writes it is not installed.
    """
    if importlib.util.find_spec("onnx") is None or importlib.util.find_spec("onnxruntime") is None:
        raise BadSetting("an INT8 network needs onnx and onnxruntime: pip install 'label-studio-espalier[bundle]'")
    if min(len(scales), len(choosing)) < LEAST:
        raise BadRequest(
            f"an INT8 network needs {LEAST} frames of the project to set its scales, and as many others to check it "
            f"on; {len(scales)} and {len(choosing)} can be read"
        )
    tried: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="espalier-int8-") as scratch, _quiet():
        prepared = _prepared(network, Path(scratch))
        for way, share in _FLOAT_SHARES.items():
            _static(prepared, path, scales, share)
            tried[way] = agrees()
            if tried[way] >= ENOUGH:
                return Quantised(way, tried)
    quantise_weights(network, path)
    tried[WEIGHTS] = agrees()
    return Quantised(WEIGHTS, tried)


def _prepared(network: Path, scratch: Path) -> Path:
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = scratch / "prepared.onnx"
    quant_pre_process(str(network), str(prepared), skip_symbolic_shape=True)
    return prepared


def _static(prepared: Path, path: Path, scales: Pictures, float_share: float) -> None:
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    heavy = [node.name for node in onnx.load(str(prepared)).graph.node if node.op_type in _HEAVY]
    quantize_static(
        str(prepared),
        str(path),
        _Reader(scales),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=heavy[: round(len(heavy) * float_share)],
    )


class _Reader:
    """Pictures one by one, as ONNX Runtime asks for them."""

    def __init__(self, pictures: Pictures) -> None:
        self._left = iter(pictures)

    def get_next(self) -> dict[str, Any] | None:
        picture = next(self._left, None)
        return None if picture is None else {PICTURES: picture[None]}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (one := self.get_next()) is not None:
            yield one


def quantise_weights(network: Path, path: Path) -> None:
    """Every large float32 table as int8 with a scale per row; it is unfolded when the network is opened."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(network))
    for table in list(model.graph.initializer):
        values = numpy_helper.to_array(table)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < 1024:
            continue
        flat = values.reshape(len(values), -1)
        steps = np.maximum(np.abs(flat).max(axis=1) / 127, np.finfo(np.float32).tiny).astype(np.float32)
        whole = np.clip(np.rint(flat / steps[:, None]), -127, 127).astype(np.int8).reshape(values.shape)
        model.graph.initializer.remove(table)
        names = [f"{table.name}.{part}" for part in ("int8", "scale", "zero")]
        for name, array in zip(names, (whole, steps, np.zeros(len(steps), np.int8)), strict=True):
            model.graph.initializer.append(numpy_helper.from_array(array, name))
        model.graph.node.insert(0, helper.make_node("DequantizeLinear", names, [table.name], axis=0))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser logs to the root, of steps that nobody has to take here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
