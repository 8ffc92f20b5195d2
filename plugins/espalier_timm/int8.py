"""8-bit arithmetic, only where it is asked for and only where it gives nearly the same embeddings."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from espalier.contract import EncoderRequest, Pictures

from . import converted
from .network import Description
from .openvino_graph import quantise
from .openvino_runtime import OpenVinoRuntime
from .precision import centred_agreement
from .runtime import Features, unit
from .weights import Weights

CALIBRATION = 32
"""At least this many frames are needed; half of them set the scales, the other half judge."""
AGREEMENT = 0.99


def quantised(
    request: EncoderRequest, weights: Weights, sha256: str, exact: Any, description: Description
) -> tuple[Any | None, str]:
    """(graph, what was measured), or (None, why not). The verdict is kept with the graph: both cost a minute.

    The scales come from every second of the project's frames; the others must keep their centred cosine to the fp32
    embedding at 0.99 or more, or the network is left as it is.
    """
    place = converted.place(request.cache_dir, weights.model, sha256, "int8") if request.cache_dir else None
    kept = converted.load(place) if place else None
    if kept is not None:
        return (None, kept.remark) if kept.remark else (kept.graph, "int8 passed its check before")
    frames = request.calibration
    if frames is None or len(frames) < CALIBRATION:
        count = 0 if frames is None else len(frames)
        return None, f"it needs {CALIBRATION} frames of the project to check it on, got {count}"
    if importlib.util.find_spec("nncf") is None:
        return None, "it needs nncf; pip install 'label-studio-espalier[int8]'"
    graph = quantise(_read(exact), frames[::2])
    reached = centred_agreement(_embed(exact, "fp32", frames[1::2]), _embed(graph, "int8", frames[1::2]))
    if reached < AGREEMENT:
        remark = f"its embeddings agree with fp32 to {reached:.3f} only (centred cosine; {AGREEMENT} is needed)"
        graph = None
    else:
        remark = ""
    if place is not None:
        converted.keep(place, graph, description, remark)
    return (graph, f"int8 agrees with fp32 to {reached:.3f}") if graph is not None else (None, remark)


def _read(graph: Any) -> Any:
    """An ov.Model, of a model or of the path of a saved one."""
    import openvino as ov

    return ov.Core().read_model(graph) if isinstance(graph, Path) else graph


def _embed(graph: Any, precision: str, frames: Pictures) -> Features:
    return unit(next(iter(OpenVinoRuntime(graph, precision, 0).stream([frames]))))
