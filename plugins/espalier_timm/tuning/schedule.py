"""The learning rate: it rises in a line, and falls as half a cosine."""

from __future__ import annotations

import math

LEAST = 0.01
"""What is left of it at the end, as a share."""


def rate(done: float, warmup: float) -> float:
    """A factor within (0, 1]. done: share of the training, within [0, 1]; warmup: share over which it rises."""
    if done < warmup:
        return max(done / warmup, LEAST)
    along = min(1.0, (done - warmup) / max(1 - warmup, 1e-9))
    return LEAST + (1 - LEAST) * 0.5 * (1 + math.cos(math.pi * along))
