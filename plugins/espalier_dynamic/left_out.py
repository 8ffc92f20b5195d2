"""How a row of the examples would lie to the prototypes if it had never been among them: exactly, without a new solve.

A row's part in the covariance is one dyad (Sherman and Morrison, 1950), its part in a prototype one term of a mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Embeddings

from .prototypes import Float, Metric, Products, row_worth


def left_out(metric: Metric, rows: Embeddings, says: NDArray[np.float32]) -> tuple[Products, Products]:
    """Without each row itself; and also without all examples of its first side, as if it were of an unknown one.

    rows float32 (m, dim) and says float32 (m, sides) are of examples that the metric was made of. Sides that are left
    without an example lie nowhere in particular: see `alone`.
    """
    x = metric.placed(rows)
    own = says.argmax(axis=1)
    prototypes = metric.prototypes
    residual = x - metric.means[own]
    across, along = (x @ prototypes.T).astype(np.float64), (residual @ prototypes.T).astype(np.float64)
    squares = np.einsum("ij,ij->i", prototypes, prototypes, dtype=np.float64)
    length = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    self_along = np.einsum("ij,ij->i", x, residual, dtype=np.float64)
    worth, among = row_worth(says), metric.among[own]
    left = np.maximum(among - worth, 1e-9)
    reach = metric.reach * worth * np.where(among - worth > 1e-9, among / left, 0)
    kappa = reach / np.maximum(1 - reach * np.einsum("ij,ij->i", residual, residual, dtype=np.float64), 1e-3)

    rest = metric.totals - says
    share = np.where((says > 0) & (rest > 1e-9), says / np.maximum(rest, 1e-9), 0)
    without_across = (1 + share) * across - share * length[:, None]
    without_along = (1 + share) * along - share * self_along[:, None]
    without_squares = (1 + share) ** 2 * squares - 2 * share * (1 + share) * across + share**2 * length[:, None]
    itself = Products(
        without_across + (kappa * self_along)[:, None] * without_along,
        without_squares + kappa[:, None] * without_along**2,
        length + kappa * self_along**2,
    )

    # The centre is the mean of the prototypes: without the own one it moves away from it.
    others = max(int(metric.present.sum()) - 1, 1)
    between = (prototypes @ prototypes.T).astype(np.float64)[own]
    mine = np.arange(len(own)), own
    moved = squares[own] / others**2
    a = length + 2 * across[mine] / others + moved
    b = squares + 2 * between / others + moved[:, None]
    ab = across + (across[mine] / others)[:, None] + between / others + moved[:, None]
    a_along = self_along + along[mine] / others
    b_along = along + (along[mine] / others)[:, None]
    side = Products(ab + (kappa * a_along)[:, None] * b_along, b + kappa[:, None] * b_along**2, a + kappa * a_along**2)
    return itself, side


def alone(totals: Float, says: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Sides that have no other example than the row, bool (m, sides)."""
    return np.asarray((says > 0) & (totals - says <= 1e-9))
