"""What runs a network: pictures in, features out, with the next batch already on its way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Pictures

Features = NDArray[np.float32]


class Runtime(Protocol):
    """`name` and `precision` go into the digest: the same network gives slightly other numbers on another one."""

    name: str
    precision: str

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Features]:
        """Features float32 (n, dim), of any norm, one array per batch of uint8 (n, height, width, 3), in order."""
        ...


def unit(features: Features) -> Features:
    """Rows of norm 1, in place."""
    norms = np.sqrt(np.einsum("ij,ij->i", features, features))
    features /= np.maximum(norms, np.finfo(np.float32).tiny)[:, None]
    return features
