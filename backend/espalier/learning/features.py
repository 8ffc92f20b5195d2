"""Features: what of an embedding a regression gets to see: its dimensions, or its likeness to landmark frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings
from .design import Float, orthonormal

EVENNESS = 0.3
"""Dimensions are divided by their deviation to this power: 0 leaves them, 1 makes all count alike. On 7 sets of
pictures under 3 encoders, 0.3 was worth 0.1 to 0.8 points over 0; 0.5 as much on average, but not as surely."""
_DOUBT = 10
"""As many made-up rows of average deviation join in, lest few rows say that a dimension is flat."""
LANDMARKS = 512
_FLAT = 1e-3
"""Directions of likeness with less than this share of the strongest one's variance are more cost than use."""
_AT_ONCE = 1 << 24  # likenesses held at once: 64 MB


@dataclass(frozen=True)
class Straight:
    """The dimensions, centred and evened out, with mean squared norm 1 over the rows that it was made of.

    centre and stretch are float32 (d,).
    """

    name: ClassVar[str] = "linear"
    strengths: ClassVar[tuple[float, ...]] = (3.0, 10.0, 30.0, 100.0)
    usual: ClassVar[float] = 30.0

    centre: Float
    stretch: Float

    @classmethod
    def of(cls, embeddings: Embeddings, seed: int) -> Straight:
        """Constant embeddings give rows of zeros."""
        n, d = embeddings.shape
        centre = embeddings.mean(axis=0, dtype=np.float64) if n else np.zeros(d)
        variance = np.square(embeddings - centre.astype(np.float32)).sum(axis=0, dtype=np.float64)
        mean = float(variance.mean()) / max(1, n) if d else 0.0
        if mean < 1e-12:
            return cls(centre.astype(np.float32), np.zeros(d, np.float32))
        stretch = ((variance + _DOUBT * mean) / ((n + _DOUBT) * mean)) ** (-EVENNESS / 2)
        stretch /= np.sqrt((variance * stretch**2).sum() / n)
        return cls(centre.astype(np.float32), stretch.astype(np.float32))

    def __call__(self, embeddings: Embeddings) -> Float:
        """float32 (n, d)"""
        return np.asarray((embeddings - self.centre) * self.stretch, np.float32)

    def raw(self, embeddings: Embeddings) -> Float:
        """What folded coefficients are for: here, the embeddings themselves."""
        return embeddings

    def fold(self, coefficients: Float, intercepts: Float) -> tuple[Float, Float]:
        """(..., k, p) and (..., k) for features, to the same for what is raw."""
        folded = np.asarray(coefficients * self.stretch, np.float32)
        return folded, np.asarray(intercepts - folded @ self.centre, np.float32)


@dataclass(frozen=True)
class Curved:
    """Likeness to landmarks: exp(-squared distance / 2) of evened rows, turned into coordinates of mean square norm 1.

    Landmarks float32 (m, d) are some of the rows that it was made of; which, has nothing to do with their targets.
    basis float32 (m, r).
    """

    name: ClassVar[str] = "kernel"
    strengths: ClassVar[tuple[float, ...]] = (10.0, 30.0, 100.0, 300.0)
    usual: ClassVar[float] = 100.0

    straight: Straight
    landmarks: Float
    basis: Float

    @classmethod
    def of(cls, embeddings: Embeddings, seed: int) -> Curved:
        straight = Straight.of(embeddings, seed)
        n = len(embeddings)
        some = embeddings
        if n > LANDMARKS:
            some = embeddings[np.sort(np.random.default_rng(seed).choice(n, LANDMARKS, replace=False))]
        landmarks = straight(some)
        table = _likeness(landmarks, landmarks)
        basis = orthonormal(table, _FLAT)
        spread = float((table @ basis).var(axis=0).sum())
        return cls(straight, landmarks, basis / np.float32(np.sqrt(max(spread, 1e-12))))

    def __call__(self, embeddings: Embeddings) -> Float:
        """float32 (n, r)"""
        return self.raw(embeddings) @ self.basis

    def raw(self, embeddings: Embeddings) -> Float:
        """float32 (n, m)"""
        return _likeness(self.straight(embeddings), self.landmarks)

    def fold(self, coefficients: Float, intercepts: Float) -> tuple[Float, Float]:
        return coefficients @ self.basis.T, intercepts

    def arrays(self) -> dict[str, Float]:
        """What is saved of it."""
        return {"centre": self.straight.centre, "stretch": self.straight.stretch, "landmarks": self.landmarks}

    @classmethod
    def restored(cls, arrays: Mapping[str, Float]) -> Curved:
        """Good for folded coefficients: without the basis, which is folded into them."""
        straight = Straight(arrays["centre"], arrays["stretch"])
        return cls(straight, arrays["landmarks"], np.zeros((len(arrays["landmarks"]), 0), np.float32))


Features = Straight | Curved
Kind = type[Straight] | type[Curved]


def _likeness(rows: Float, landmarks: Float) -> Float:
    """float32 (n, m), within (0, 1]."""
    found = np.empty((len(rows), len(landmarks)), np.float32)
    half = _half_square(landmarks)
    step = max(1, _AT_ONCE // max(1, len(landmarks)))
    for first in range(0, len(rows), step):
        part = rows[first : first + step]
        nearness = part @ landmarks.T
        nearness -= half
        nearness -= _half_square(part)[:, None]
        np.exp(np.minimum(nearness, 0, out=nearness), out=found[first : first + step])
    return found


def _half_square(rows: Float) -> NDArray[np.float32]:
    return np.asarray(0.5 * np.einsum("nd,nd->n", rows, rows), np.float32)
