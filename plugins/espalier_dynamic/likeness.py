"""Likeness to the examples of a side: the mean of a kernel over them, sharp enough that the nearest count most.

As in Tip-Adapter's cache of examples (Zhang et al., arXiv:2111.03930), with the mean instead of the sum, so that a
side is no likelier for having been shown more often.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Embeddings

SHARPNESS = 32.0
SAME = 0.98
"""The cosine from which on two examples are taken for one moment of one video: neither says how wide its side is."""
NOTHING = 1e-30


def kernel(rows: Embeddings, examples: Embeddings) -> NDArray[np.float32]:
    """float32 (n, m), above 0 and about 1 at most."""
    near = rows @ examples.T
    near -= 1
    near *= np.float32(SHARPNESS)
    return np.asarray(np.exp(near, out=near))


def log_mean(sums: NDArray[np.floating], totals: NDArray[np.floating]) -> NDArray[np.float64]:
    """The logarithm of the mean kernel; finite also for sides without an example, which mean nothing."""
    return np.asarray(np.log(np.maximum(sums, NOTHING) / np.maximum(totals, 1e-9)), np.float64)


def cosine(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The likeness as a cosine: of a side with one example, exactly that to it."""
    return np.asarray(1 + logs / SHARPNESS)
