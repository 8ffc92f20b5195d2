"""Which device it becomes: what was asked for, or a refusal."""

from __future__ import annotations

import re
from pathlib import Path

from espalier.errors import BadSetting

from .presets import Kind


def resolve(asked: str) -> tuple[Kind, str]:
    """The kind of device and its torch name. Raises BadSetting for one that is not there."""
    if asked == "cpu" or (asked == "auto" and not _may_have_cuda()):
        return "cpu", "cpu"
    found = re.fullmatch(r"cuda(?::(\d+))?", asked)
    if asked != "auto" and found is None:
        raise BadSetting(f"ESPALIER_DEVICE={asked!r} is no device; expected auto, cpu, cuda or cuda:0")
    try:
        import torch
    except ImportError:
        count = 0
    else:
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "auto":
        return ("cuda", "cuda:0") if count else ("cpu", "cpu")
    number = int(found[1]) if found and found[1] else 0
    if number >= count:
        raise BadSetting(
            f"ESPALIER_DEVICE={asked} asks for GPU {number}, and torch sees {count} here; use cpu or auto, or install "
            f"a torch with CUDA and the driver that it needs"
        )
    return "cuda", f"cuda:{number}"


def _may_have_cuda() -> bool:
    """Whether the kernel shows an Nvidia device: importing torch just to hear no takes over a second."""
    return any(Path(path).exists() for path in ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/nvhost-ctrl"))
