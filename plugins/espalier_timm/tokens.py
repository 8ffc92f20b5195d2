"""The tokens of a transformer, and the grid that they are laid out on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from espalier.errors import BadRequest

if TYPE_CHECKING:
    import torch


def is_of_tokens(module: Any) -> bool:
    """Whether it works on one row of tokens, as ViT, DeiT, BEiT and their like do."""
    blocks = getattr(module, "blocks", None)
    return hasattr(module, "num_prefix_tokens") and blocks is not None and hasattr(blocks[-1], "norm1")


def without_prefix(module: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Without the class token and its like, which stand for no place; tokens (n, ...)."""
    return tokens[module.num_prefix_tokens :]


def grid_of(module: Any, model: str, tokens: int) -> tuple[int, int]:
    """(rows, columns). Raises BadRequest where they are no grid."""
    rows, columns = getattr(getattr(module, "patch_embed", None), "grid_size", None) or (0, 0)
    if rows * columns != tokens:
        rows = columns = round(tokens**0.5)
    if rows * columns != tokens:
        raise BadRequest(f"the {tokens} tokens of {model} are no grid; use occlusion")
    return rows, columns
