"""Attention roll-out: what the embedding has seen of each patch, through all layers of a transformer.

Plain roll-out (Abnar and Zuidema, 2020) is the same for every class. Here each attention is weighted by its slope
towards the direction that is asked for (Chefer, Gur and Wolf, 2021), so that two classes have two maps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from espalier.errors import BadRequest

from .hooks import along, hooked
from .tokens import grid_of, is_of_tokens, without_prefix

if TYPE_CHECKING:
    import torch


def roll_out(module: Any, model: str, values: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """(rows, columns). Raises BadRequest for a network without attention among all of its tokens."""
    import torch

    layers = [layer for layer in module.modules() if hasattr(layer, "fused_attn") and hasattr(layer, "attn_drop")]
    if not layers or not is_of_tokens(module):
        raise BadRequest(f"{model} is no transformer whose tokens all see each other; use grad-cam")
    held = _attentions(module, layers, values, direction)
    count = held[0].shape[-1]
    if any(attention.shape[-2:] != (count, count) for attention in held):
        raise BadRequest(f"the layers of {model} differ in their tokens; use grad-cam")
    seen = torch.eye(count)
    for attention in held:
        assert attention.grad is not None
        seen = seen + (attention.detach() * attention.grad)[0].clamp(min=0).mean(dim=0) @ seen
    seen = seen - torch.eye(count)
    if getattr(module, "global_pool", "") == "token":
        places = without_prefix(module, seen[0])
    else:
        places = without_prefix(module, without_prefix(module, seen).mean(dim=0))
    return places.reshape(grid_of(module, model, len(places)))


def _attentions(module: Any, layers: list[Any], values: torch.Tensor, direction: torch.Tensor) -> list[torch.Tensor]:
    """Each (1, heads, tokens, tokens), with its slope."""
    held: list[torch.Tensor] = []

    def hold(_: Any, __: Any, output: torch.Tensor) -> torch.Tensor:
        held.append(output.detach().clone().requires_grad_() if not output.requires_grad else output)
        held[-1].retain_grad()
        return held[-1]

    fused = [layer.fused_attn for layer in layers]
    try:
        for layer in layers:
            layer.fused_attn = False  # fused, nobody gets to see it
        with hooked(*((layer.attn_drop, hold) for layer in layers)):
            along(module(values), direction).backward()  # type: ignore[no-untyped-call]
    finally:
        for layer, was in zip(layers, fused, strict=True):
            layer.fused_attn = was
    return held
