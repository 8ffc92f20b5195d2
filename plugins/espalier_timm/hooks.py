"""Listening to the layers of a torch network while it computes an embedding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@contextmanager
def hooked(*hooks: tuple[Any, Any]) -> Iterator[None]:
    """(layer, forward hook), for as long as the context lasts."""
    handles = [layer.register_forward_hook(hook) for layer, hook in hooks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def along(features: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """The component of the embedding, which has norm 1, along the direction; features (1, dim)."""
    import torch

    return torch.nn.functional.normalize(features[0], dim=0) @ direction
