"""What is known of a network without having it in memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Description:
    """input_size: (height, width). mean, std: of RGB in [0, 1]."""

    model: str
    dim: int
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    licence: str
