"""Which arithmetic a network learns in: bf16 on a GPU that has it, and on a CPU where it was measured to be faster."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from espalier.errors import BadRequest

from .headed_network import HeadedNetwork

GAIN = 1.15
"""It must be faster by so much to be worth the rounding."""
PICTURES, ROUNDS = 4, 3


def wants_bf16(asked: str, network: HeadedNetwork, size: tuple[int, int], device: torch.device) -> bool:
    """Raises BadRequest for bf16 on a GPU without it."""
    if asked == "fp32":
        return False
    if device.type == "cuda":
        able = bool(torch.cuda.is_bf16_supported(including_emulation=False))
        if asked == "bf16" and not able:
            raise BadRequest(f"amp is bf16, but {device} has no bf16; use auto or fp32")
        return able
    if asked == "bf16":
        return True
    return _has_bf16() and _gain(network, size) > GAIN


@contextmanager
def tried_convolutions() -> Iterator[None]:
    """Meanwhile cuDNN tries its algorithms for every new shape and keeps the quickest: batches are all alike."""
    # `flags` sets to False what it is not told, even cuDNN itself.
    with torch.backends.cudnn.flags(enabled=True, benchmark=True):
        yield


def _has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def _gain(network: HeadedNetwork, size: tuple[int, int]) -> float:
    """How many times faster a few steps are; the fastest of each, taken in turns, since other work comes between."""
    tried = copy.deepcopy(network).eval().to(memory_format=torch.channels_last)
    pictures = torch.zeros(PICTURES, 3, *size).contiguous(memory_format=torch.channels_last)
    best = {False: float("inf"), True: float("inf")}
    for _ in range(ROUNDS):
        for bf16 in best:
            started = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = tried(pictures)
            torch.autograd.backward(logits.float().square().sum())
            best[bf16] = min(best[bf16], time.perf_counter() - started)
    return best[False] / best[True]
