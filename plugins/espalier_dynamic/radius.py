"""How near is near enough: the radius within which a side is known, and how sharp its edge is.

Examples that were left out show how near what belongs to a side usually is; examples of the other sides show how near
what does not belong to it may come, as something unknown would. A regression on both gives a probability of being
known. Where nothing can be compared, the radius is a usual one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

_USUAL = 0.55
"""The cosine at which a row is as likely known as not, as long as there is one example. Of six sets of photographs by a
pretrained network, 0.42 to 0.61 lay halfway between the examples of one option and of different ones."""
_STEEP = 24.0
_WIDE = 2.5
"""Standard deviations below the mean likeness of what belongs to a side, where nothing else is known."""
_UNKNOWN = 0.25
"""How much all that is unknown counts, beside all that is known."""
_SIDES = 8.0
"""Probes at which a side's own mean likeness counts as much as that of all sides."""
_SPREADS = np.array([4.0, 1.0, 6.0])
"""How far shift, steepness (in units of _STEEP) and weight of the cosine to a prototype may be from the usual."""


@dataclass(frozen=True)
class Radius:
    """offsets float64 (sides,): how much nearer than others the examples of a side lie to each other, as a cosine."""

    offsets: Float
    shift: float = 0.0
    steepness: float = 1.0
    by_prototype: float = 0.0

    def logits(self, likeness: Float, cosines: Float) -> Float:
        """How sure it is that a row is known, (n,): cosines to the examples of the likeliest side beyond its offset,
        and to the prototype that is nearest."""
        return np.asarray(self.shift + self.steepness * _near(likeness) + self.by_prototype * cosines)


def offsets(own: Float, sides: NDArray[np.int64], count: int) -> Float:
    """By side, how much likelier than the mean its examples are to each other, leaning to nothing, (count,)."""
    if not len(own):
        return np.zeros(count)
    present = np.bincount(sides, minlength=count)
    sums = np.bincount(sides, weights=own - own.mean(), minlength=count)
    return np.asarray(sums / (present + _SIDES))


def learned(beyond: Float, known: tuple[Float, Float], unknown: tuple[Float, Float], *, by_prototype: bool) -> Radius:
    """known and unknown: likeness beyond the offset and cosine, each (n,), of rows that are and are not."""
    near, far = known[0], unknown[0]
    if not len(far):
        if not len(near):
            return Radius(beyond)
        inside = float(near.mean() - _WIDE * max(near.std(), 0.02))
        radius = (_USUAL * 2 + inside * len(near)) / (2 + len(near))
        return Radius(beyond, shift=_STEEP * (_USUAL - radius))
    x = np.column_stack(
        [
            np.ones(len(near) + len(far)),
            _near(np.concatenate([near, far])),
            np.concatenate([known[1], unknown[1]]) * by_prototype,
        ]
    )
    holds = np.arange(len(x)) < len(near)
    worth = np.where(holds, 1.0, _UNKNOWN * max(len(near), 1) / len(far))
    usual = np.array([0.0, 1.0, 0.0])
    weights = usual.copy()
    for _ in range(25):
        p = 0.5 + 0.5 * np.tanh(0.5 * np.clip(x @ weights, -30, 30))
        slope = x.T @ (worth * (holds - p)) - (weights - usual) / _SPREADS**2
        bend = (x * (worth * p * (1 - p))[:, None]).T @ x + np.diag(1 / _SPREADS**2)
        step = np.linalg.solve(bend, slope)
        weights = weights + step / max(1.0, float(np.abs(step).max()) / 2)
    return Radius(beyond, float(weights[0]), max(float(weights[1]), 0.0), max(float(weights[2]), 0.0))


def _near(likeness: Float) -> Float:
    return _STEEP * (likeness - _USUAL)
