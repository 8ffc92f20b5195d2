"""A network as it is kept: an encoder's directory, and the heads beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from espalier.whole_directory import replaced

from .. import own_network
from ..description import Description
from .headed_network import HeadedNetwork
from .lesson import Lesson


@torch.no_grad()
def keep(
    directory: Path,
    network: HeadedNetwork,
    lesson: Lesson,
    description: Description,
    sureness: Tensor,
    rest: Mapping[str, Any],
) -> None:
    """sureness float32 (heads,): a factor on each head's logits. rest: what else is told of it (parameters, step,
    figures), plain JSON."""
    factors = lesson.spread(sureness)
    coefficients, bias = network.coefficients().float().cpu() * factors[:, None], network.bias.float().cpu() * factors
    heads = {}
    for key, span in zip(lesson.keys, lesson.spans, strict=True):
        heads[f"{key}.coefficients"] = coefficients[span.start : span.stop].clone()
        heads[f"{key}.intercepts"] = bias[span.start : span.stop].clone()
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.backbone.state_dict().items()}
    about = [
        {"key": key, "options": span.stop - span.start, "exclusive": span.exclusive}
        for key, span in zip(lesson.keys, lesson.spans, strict=True)
    ]
    with replaced(directory) as beside:
        save_file(state, str(beside / own_network.NETWORK))
        save_file(heads, str(beside / own_network.HEADS))
        own_network.write_about(beside, description, {**rest, "heads": about})
