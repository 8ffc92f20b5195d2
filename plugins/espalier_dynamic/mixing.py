"""How much prototypes and likeness to examples say, next to each other: learned from probes that were left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

_BY_PROTOTYPE = np.geomspace(0.01, 2.56, 9)
_BY_LIKENESS = np.array([0.0, 0.125, 0.25, 0.5, 1.0, 2.0])
_USUAL = (0.05, 0.25)
_SPREAD = (1.5, 1.0)
"""In natural logarithms: how far few probes may pull away from the usual."""


@dataclass(frozen=True)
class Mixing:
    """The logit of a side is by_prototype times its discriminant plus by_likeness times its log mean kernel."""

    by_prototype: float = _USUAL[0]
    by_likeness: float = _USUAL[1]

    def __call__(self, discriminants: Float, logs: Float) -> Float:
        return np.asarray(self.by_prototype * discriminants + self.by_likeness * logs)

    @classmethod
    def learned(
        cls, discriminants: Float, logs: Float, candidates: NDArray[np.bool_], right: NDArray[np.int64]
    ) -> Mixing:
        """The mean of all that are possible, each as likely as it makes the right sides: no single probe changes
        it by a leap.

        discriminants and logs (n, sides) of rows that none of it was made of; candidates bool (n, sides): sides that
        can be chosen; right int64 (n,).
        """
        if not len(right):
            return cls()
        rows = np.arange(len(right))
        mixed = np.empty((len(_BY_PROTOTYPE), len(_BY_LIKENESS)))
        for i, by_prototype in enumerate(_BY_PROTOTYPE):
            for j, by_likeness in enumerate(_BY_LIKENESS):
                z = np.where(candidates, by_prototype * discriminants + by_likeness * logs, -np.inf)
                z -= z.max(axis=1, keepdims=True)
                gain = z[rows, right] - np.log(np.exp(z).sum(axis=1))
                away = np.log(by_prototype / _USUAL[0]) / _SPREAD[0]
                nearer = np.log((by_likeness + 0.05) / (_USUAL[1] + 0.05)) / _SPREAD[1]
                mixed[i, j] = gain.sum() - 0.5 * (away**2 + nearer**2)
        likely = np.exp(mixed - mixed.max())
        likely /= likely.sum()
        return cls(float(np.exp(likely.sum(axis=1) @ np.log(_BY_PROTOTYPE))), float(likely.sum(axis=0) @ _BY_LIKENESS))
