"""From a torch network to an OpenVINO graph that takes raw pictures, and the same with 8-bit weights."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from espalier.contract import Pictures

from .network import Description

if TYPE_CHECKING:
    import torch


def convert(module: torch.nn.Module, description: Description) -> Any:
    """An ov.Model: uint8 (n, height, width, 3) RGB in, float32 (n, dim) out, any n; normalisation is in the graph.

    The front end is called directly: `openvino.convert_model` reports each call to its makers over the network.
    """
    import openvino as ov
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    from openvino.preprocess import PrePostProcessor

    height, width = description.input_size
    with warnings.catch_warnings(), torch.no_grad():
        # The graph is traced by torch's older tracer, which this front end is built on.
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=FutureWarning)
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        decoder = TorchScriptPythonDecoder(module, example_input=torch.zeros(2, 3, height, width))
        front_end = FrontEndManager().load_by_framework("pytorch")
        graph = front_end.convert(front_end.load(decoder))
    graph.reshape({0: [-1, 3, height, width]})
    processor = PrePostProcessor(graph)
    pictures = processor.input()
    pictures.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_shape([-1, height, width, 3])
    pictures.preprocess().convert_element_type(ov.Type.f32).mean([255 * value for value in description.mean]).scale(
        [255 * value for value in description.std]
    )
    pictures.model().set_layout(ov.Layout("NCHW"))
    processor.output().tensor().set_element_type(ov.Type.f32)
    return processor.build()


def quantise(graph: Any, frames: Pictures) -> Any:
    """The graph with 8-bit weights and activations, their scales set on these frames."""
    # It reports its use to its makers, too, except where it believes to be tested.
    os.environ.setdefault("NNCF_CI", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nncf
    data = nncf.Dataset([frame[None] for frame in frames])
    return nncf.quantize(graph, data, subset_size=len(frames))
