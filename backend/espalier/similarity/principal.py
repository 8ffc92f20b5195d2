"""Principal axes: the few directions in which rows differ most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings

_DRAWN = 20_000


def principal_axes(embeddings: Embeddings, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean float32 (d,) and axes float32 (d, m), m at most `count`, the widest first, from an even sample of the rows.

    The largest coordinate of an axis is positive: so axes are the same for the same rows.
    """
    n, dim = embeddings.shape
    some = embeddings[np.linspace(0, n - 1, min(n, _DRAWN)).round().astype(np.int64)] if n else embeddings
    mean = some.mean(axis=0) if n else np.zeros(dim, np.float32)
    around = (some - mean).astype(np.float64)
    axes = np.linalg.eigh(around.T @ around)[1][:, ::-1][:, :count]
    largest = np.abs(axes).argmax(axis=0)
    signs = np.sign(axes[largest, np.arange(axes.shape[1])])
    return mean.astype(np.float32), (axes * np.where(signs == 0, 1.0, signs)).astype(np.float32)
