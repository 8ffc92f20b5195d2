"""A prototype for each side, and the metric in which rows are near it: sums that a row joins and leaves at once.

The metric is that of linear discriminant analysis: the inverse of how rows vary around their prototypes, shrunk towards
an even one (Friedman, Regularized Discriminant Analysis, 1989). One solve of (dim, dim) makes it; no row is read again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular  # type: ignore[import-untyped]

from espalier.contract import Embeddings

Float = NDArray[np.float64]

SHRINKAGE = 0.7
"""Of seven sets of pictures under two encoders, from 2 examples per class to all: between 0.4 and 0.8 it is right as
often, and surer of wrong answers the lower it is."""
_BATCH = 4096
_USUAL = 0.4
"""The squared distance of an example from its prototype where nothing is known of it."""


class Prototypes:
    """Sums in float64, so that what left leaves nothing behind that could be seen in a score."""

    def __init__(self, dim: int, sides: int, *, exclusive: bool) -> None:
        self.exclusive = exclusive
        self.totals = np.zeros(sides)
        """What speaks for each side, float64 (sides,)."""
        self._counts = np.zeros(sides, np.int64)
        self._sums = np.zeros((sides, dim))
        self._rows = 0
        self._weight = 0.0
        self._sum = np.zeros(dim)
        self._squares = np.zeros((dim, dim))

    def join(self, rows: Embeddings, says: NDArray[np.float32]) -> None:
        self._move(rows, says, 1)

    def leave(self, rows: Embeddings, says: NDArray[np.float32]) -> None:
        """Rows that have joined."""
        self._move(rows, says, -1)

    def _move(self, rows: Embeddings, says: NDArray[np.float32], sign: int) -> None:
        for at in range(0, len(rows), _BATCH):
            self._move_some(rows[at : at + _BATCH], says[at : at + _BATCH], sign)
        gone = self._counts == 0
        self.totals[gone] = 0
        self._sums[gone] = 0
        if not self._rows:
            self._weight, self._sum[:], self._squares[:] = 0.0, 0, 0

    def _move_some(self, rows: Embeddings, says: NDArray[np.float32], sign: int) -> None:
        exact, worth = rows.astype(np.float64), row_worth(says)
        self.totals += sign * says.sum(axis=0, dtype=np.float64)
        self._sums += sign * (says.T.astype(np.float64) @ exact)
        self._counts += sign * (says > 0).sum(axis=0)
        self._rows += sign * len(rows)
        self._weight += sign * float(worth.sum())
        self._sum += sign * (worth @ exact)
        self._squares += sign * ((exact * worth[:, None]).T @ exact)

    @property
    def present(self) -> NDArray[np.bool_]:
        return np.asarray(self._counts > 0)

    def metric(self) -> Metric:
        """As things are now."""
        dim = len(self._sum)
        present = self.present
        means = self._sums / np.where(present, self.totals, 1)[:, None]
        mean = self._sum / (self._weight or 1)
        centre = means[present].mean(axis=0) if present.any() else mean
        if self.exclusive:
            around, freedom = (means * self.totals[:, None]).T @ means, self._rows - int(present.sum())
        else:
            around, freedom = self._weight * np.outer(mean, mean), self._rows - 1
        # In units of rows, whatever they weigh.
        scale = self._rows / self._weight / freedom if freedom > 0 else 0.0
        shrunk = (self._squares - around).astype(np.float32)
        even = scale * float(np.trace(shrunk)) / max(dim, 1)
        if even < 1e-9:
            scale, even = 0.0, _USUAL / max(dim, 1)
        shrunk *= np.float32((1 - SHRINKAGE) * scale)
        shrunk.flat[:: dim + 1] += np.float32(SHRINKAGE * even)
        factor = cholesky(shrunk, lower=True, overwrite_a=True, check_finite=False)
        own = means if self.exclusive else np.broadcast_to(mean, means.shape)
        among = self.totals if self.exclusive else np.full(len(means), self._weight)
        placed = _placed(factor, np.where(present[:, None], means - centre, 0))
        return Metric(
            factor,
            centre,
            placed,
            _placed(factor, own - centre),
            among.copy(),
            present,
            self.totals.copy(),
            (1 - SHRINKAGE) * scale,
        )


@dataclass(frozen=True)
class Metric:
    """Everything in it is placed: relative to the centre, and where rows vary alike in all directions.

    factor float32 (dim, dim), centre float64 (dim,); prototypes float32 (sides, dim), zero where a side has no example;
    means float32 (sides, dim): around what a row of the side was taken to vary, and among float64 (sides,): the weight
    of the rows of which that is the mean. present bool and totals float64 (sides,). reach: what one row adds to the
    covariance, for its share of it.
    """

    factor: NDArray[np.float32]
    centre: Float
    prototypes: NDArray[np.float32]
    means: NDArray[np.float32]
    among: Float
    present: NDArray[np.bool_]
    totals: Float
    reach: float

    def placed(self, rows: Embeddings) -> NDArray[np.float32]:
        return _placed(self.factor, rows - self.centre)

    def products(self, rows: Embeddings) -> Products:
        """How rows that none of this was made of lie to the prototypes."""
        placed = self.placed(rows)
        squares = np.einsum("ij,ij->i", self.prototypes, self.prototypes)
        across = placed @ self.prototypes.T
        return Products(across, np.broadcast_to(squares, across.shape), np.einsum("ij,ij->i", placed, placed))


@dataclass(frozen=True)
class Products:
    """Of rows and prototypes, placed: across (n, sides), prototypes' squares (n, sides), rows' squares (n,)."""

    across: NDArray[np.floating]
    squares: NDArray[np.floating]
    lengths: NDArray[np.floating]

    @property
    def discriminants(self) -> NDArray[np.float64]:
        """The logarithm of how probable a row is from a prototype, up to the same for all sides, (n, sides)."""
        return np.asarray(self.across - 0.5 * self.squares, np.float64)

    @property
    def cosines(self) -> NDArray[np.float64]:
        return np.asarray(self.across / np.sqrt(np.maximum(self.squares * self.lengths[:, None], 1e-12)), np.float64)


def row_worth(says: NDArray[np.float32]) -> Float:
    """What a row counts for, float64 (n,): its weight, or the mean of its weights."""
    return np.asarray(says.sum(axis=1, dtype=np.float64) / np.maximum((says > 0).sum(axis=1), 1))


def _placed(factor: NDArray[np.float32], rows: NDArray[np.floating]) -> NDArray[np.float32]:
    if not len(factor):
        return np.zeros(rows.shape, np.float32)
    found = solve_triangular(factor, rows.T.astype(np.float32), lower=True, check_finite=False)
    return np.ascontiguousarray(found.T, np.float32)
