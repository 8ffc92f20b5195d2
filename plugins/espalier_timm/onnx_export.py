"""From a torch network to ONNX: raw pictures in, embeddings of norm 1 out, so that nothing beside it is needed."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from espalier.errors import BadSetting

from .network import Description

if TYPE_CHECKING:
    import torch

PICTURES, EMBEDDINGS = "pictures", "embeddings"
OPSET = 18


def export(module: torch.nn.Module, description: Description, path: Path) -> None:
    """Write it as fp32: uint8 (n, height, width, 3) RGB in, float32 (n, dim) rows of norm 1 out, any n.

    Raises BadSetting where what writes ONNX is not installed, or does not know one of the network's operations.
    """
    lacking = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if lacking:
        raise BadSetting(
            f"writing ONNX needs {' and '.join(lacking)}: pip install 'label-studio-espalier[bundle]' and try again"
        )
    import torch

    height, width = description.input_size
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    whole = _whole(module, description).eval()
    try:
        with _quiet(), torch.no_grad():
            torch.onnx.export(
                whole,
                (example,),
                path,
                dynamo=True,
                input_names=[PICTURES],
                output_names=[EMBEDDINGS],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                opset_version=OPSET,
                external_data=False,
                verbose=False,
            )
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        said = str(error).strip().partition("\n")[0][:200]
        raise BadSetting(
            f"{description.model} cannot be written as ONNX by torch {torch.__version__}: {said}"
        ) from error


def _whole(module: Any, description: Description) -> Any:
    import torch

    class Whole(torch.nn.Module):
        """The network between the pictures' form and the embeddings' norm."""

        def __init__(self) -> None:
            super().__init__()
            self.network = module
            self.register_buffer("mean", torch.tensor(description.mean).view(1, 3, 1, 1) * 255)
            self.register_buffer("scale", 1 / (torch.tensor(description.std).view(1, 3, 1, 1) * 255))

        def forward(self, pictures: Any) -> Any:
            values = (pictures.permute(0, 3, 1, 2).to(torch.float32) - self.mean) * self.scale
            features = self.network(values)
            return features / torch.linalg.vector_norm(features, dim=1, keepdim=True).clamp_min(1e-30)

    return Whole()


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of its own steps and of what will change in it some day."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
