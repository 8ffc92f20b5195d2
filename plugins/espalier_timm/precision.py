"""Which arithmetic: bf16 where the processor has it, as long as it does not wreck the embeddings.

bf16 keeps 8 bits of each number. Most networks do not mind (cosine to fp32 above 0.999). Some with thin layers move
noticeably and lose nothing: a quantised MobileNetV2, whose worst cosine over 2,100 pictures of three data sets was
0.91, classified them as well as in fp32 (78.9 and 79.2 %, 66.2 and 65.9 %, 74.4 and 74.1 %; standard deviation 2 to 3)
at 1.7 to 2.3 times its speed. Training and prediction use the same arithmetic, so only a network whose embeddings fall
apart is kept from it. The pictures below are easier than real ones (that network agrees to 0.999 on them), so what is
demanded of them is more than what real ones would give.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from espalier.contract import Pictures
from espalier.errors import BadSetting

from .openvino_runtime import OpenVinoRuntime
from .runtime import Features, unit

FAITHFUL = 0.98
"""The least cosine to the fp32 embedding, over all probes."""
PROBES = 12
KEPT = "bf16.json"


def choose(asked: str, graph: Any, size: tuple[int, int], place: Path | None, *, random: bool) -> tuple[str, str]:
    """(`bf16` or `fp32`, a remark for people).

    graph: an ov.Model or the path of one. place: where the verdict is kept. Random weights are for measuring speed,
    and are not judged. Raises BadSetting for bf16 where the processor lacks it.
    """
    if asked == "fp32":
        return "fp32", ""
    import openvino as ov

    able = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if not able:
        if asked == "bf16":
            raise BadSetting("ESPALIER_PRECISION=bf16, but this CPU has neither AMX nor AVX512-BF16; use auto or fp32")
        return "fp32", ""
    if asked == "bf16" or random:
        return "bf16", ""
    reached = _kept(place)
    if reached is None:
        reached = _measure(graph, size)
        if place is not None:
            _keep(place, reached)
    if reached >= FAITHFUL:
        return "bf16", ""
    return "fp32", f"bf16 would be faster, but its embeddings agree with fp32 to {reached:.4f} only"


def centred_agreement(exact: Features, approximate: Features) -> float:
    """The worst cosine between two versions of the same embeddings, after taking the exact ones' mean off both.

    Without that even a wrecked network looks right: most of an embedding is what all pictures share.
    """
    mean = exact.mean(axis=0)
    left, right = exact - mean, approximate - mean
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return float(((left * right).sum(axis=1) / np.maximum(norms, np.finfo(np.float32).tiny)).min())


def probes(size: tuple[int, int]) -> Pictures:
    """Pictures with the spectrum of natural ones (1/f), in colour, always the same; uint8 (PROBES, h, w, 3)."""
    rng = np.random.default_rng(0)
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1.0
    pictures = np.empty((PROBES, height, width, 3), np.uint8)
    for picture in pictures:
        waves = rng.normal(size=(3, *frequency.shape)) + 1j * rng.normal(size=(3, *frequency.shape))
        planes = np.fft.irfft2(waves / frequency, s=size)
        planes += planes.mean(axis=0)  # in nature the colours of a place resemble each other
        planes = planes / planes.std() * rng.uniform(25, 75) + rng.uniform(60, 190)
        picture[:] = np.clip(planes, 0, 255).transpose(1, 2, 0)
    return pictures


def _measure(graph: Any, size: tuple[int, int]) -> float:
    pictures = probes(size)
    exact, rounded = (
        unit(next(iter(OpenVinoRuntime(graph, precision, 0).stream([pictures])))) for precision in ("fp32", "bf16")
    )
    return float((exact * rounded).sum(axis=1).min())


def _kept(place: Path | None) -> float | None:
    try:
        return float(json.loads((place / KEPT).read_text())) if place else None
    except (OSError, ValueError):
        return None


def _keep(place: Path, reached: float) -> None:
    handle, name = tempfile.mkstemp(dir=place)
    with os.fdopen(handle, "w") as file:
        json.dump(reached, file)
    Path(name).rename(place / KEPT)
