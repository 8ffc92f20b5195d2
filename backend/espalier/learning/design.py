"""The rows that many regressions over the same embeddings share, prepared once for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh  # type: ignore[import-untyped]

Float = NDArray[np.float32]

_FEW = 0.8
"""Rows per dimension under which the rows are turned into their own span: as exact, and cheaper."""
_ENOUGH = 3
"""Rows per dimension by which the curvature is known well enough to precondition with."""
_FLAT = 1e-6
"""Directions with less than this share of the strongest one's variance are left out there: float32 knows no more."""


@dataclass(frozen=True)
class Design:
    """rows float32 (n, r); basis float32 (p, r) leads back to the dimensions they came in, None where r = p."""

    rows: Float
    basis: Float | None
    kernel: Float
    """rows' rows, (r, r): where rows are many, by some of them."""

    @classmethod
    def of(cls, rows: Float) -> Design:
        """rows float32 (n, p), centred."""
        n, p = rows.shape
        if n == 0 or n >= _FEW * p:
            some = rows[:: max(1, n // (_ENOUGH * p))] if p else rows
            return cls(rows, None, (some.T @ some) * np.float32(n / max(1, len(some))))
        basis = rows.T @ orthonormal(rows @ rows.T, _FLAT)
        turned = rows @ basis
        return cls(turned, basis, turned.T @ turned)

    def back(self, coefficients: Float) -> Float:
        """(..., r) to (..., p)."""
        return coefficients if self.basis is None else np.asarray(coefficients @ self.basis.T)

    def preconditioner(self, curvature: float, penalty: float) -> Preconditioner:
        """The inverse of curvature * rows' rows + penalty * 1."""
        ridge = penalty / curvature
        while True:
            matrix = self.kernel + np.float32(ridge) * np.eye(len(self.kernel), dtype=np.float32)
            try:
                factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
            except np.linalg.LinAlgError:  # too nearly singular for float32: a coarser preconditioner does as well
                ridge *= 10
            else:
                return Preconditioner(factor, curvature, len(self.rows))


@dataclass(frozen=True)
class Preconditioner:
    """An approximate inverse Hessian over coefficients and intercept, the intercept last."""

    factor: tuple[Float, bool]
    curvature: float
    count: int

    def __call__(self, gradient: Float) -> Float:
        """float32 (b, m, r + 1) -> the same shape."""
        flat = gradient.reshape(-1, gradient.shape[-1])
        result = np.empty_like(flat)
        solved = np.asarray(cho_solve(self.factor, flat[:, :-1].T, check_finite=False)).T
        np.divide(solved, np.float32(self.curvature), out=result[:, :-1])
        result[:, -1] = flat[:, -1] / np.float32(self.curvature * self.count + 1e-3)
        return result.reshape(gradient.shape)


def orthonormal(kernel: Float, flat: float) -> Float:
    """float32 (m, r) that turns likenesses to m landmarks, of which kernel (m, m) is the table, into coordinates.

    Their inner products are the likenesses again, on the landmarks exactly but for directions with less than `flat` of
    the strongest one's variance, which are left out.
    """
    values, vectors = eigh(kernel, check_finite=False, driver="evd")
    strong = values > flat * max(float(values[-1]), 1e-12)
    return np.asarray(vectors[:, strong] / np.sqrt(values[strong]), np.float32)
