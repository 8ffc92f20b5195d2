"""Regularised logistic regression, many problems over the same rows at once, in numpy.

The problems (one per fold of a cross-fit, or one per label) share their embeddings and differ in row weights. All
are solved together by L-BFGS, preconditioned with the inverse of (curvature * Gram matrix + penalty): each step costs
two matrix products for all problems, and a few dozen steps suffice at any dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .design import Design, Float, Preconditioner

Labels = NDArray[np.int64]

MEMORY = 8
ITERATIONS = 60
TOLERANCE = 2e-4
"""Stop where the next step promises less than this share of the loss."""
_BACKTRACKS = 12


@dataclass
class Softmax:
    """Exclusive options: labels int64 (n,), weights float32 (b, n), 0 where a row does not count."""

    labels: Labels
    weights: Float

    def __call__(self, logits: Float) -> tuple[NDArray[np.float64], Float]:
        """Loss of each problem (b,), and its derivative by the logits (b, m, n)."""
        at = np.arange(len(self.labels))
        shifted = logits - logits.max(axis=1, keepdims=True)
        chosen = shifted[:, self.labels, at]
        np.exp(shifted, out=shifted)
        total = shifted.sum(axis=1)
        loss = (self.weights * (np.log(total) - chosen)).sum(axis=1, dtype=np.float64)
        shifted *= (self.weights / total)[:, None, :]
        shifted[:, self.labels, at] -= self.weights
        return loss, shifted

    def curvature(self, logits: Float, direction: Float) -> NDArray[np.float64]:
        """The second derivative of each loss along a change of its logits."""
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        mean = (share * direction).sum(axis=1)
        spread = (share * direction * direction).sum(axis=1) - mean * mean
        bend: NDArray[np.float64] = (self.weights * spread).sum(axis=1, dtype=np.float64)
        return bend


@dataclass
class Sigmoid:
    """Independent options, one problem each: targets float32 (b, n), weights float32 (b, n)."""

    targets: Float
    weights: Float

    def __call__(self, logits: Float) -> tuple[NDArray[np.float64], Float]:
        z = logits[:, 0, :]
        small = np.exp(-np.abs(z))
        loss = self.weights * (np.maximum(z, 0) + np.log1p(small) - self.targets * z)
        share = np.where(z >= 0, 1, small) / (1 + small)
        return loss.sum(axis=1, dtype=np.float64), (self.weights * (share - self.targets))[:, None, :]

    def curvature(self, logits: Float, direction: Float) -> NDArray[np.float64]:
        z = logits[:, 0, :]
        small = np.exp(-np.abs(z))
        bend = small / (1 + small) ** 2
        total: NDArray[np.float64] = (self.weights * bend * direction[:, 0, :] ** 2).sum(axis=1, dtype=np.float64)
        return total


def fit(
    design: Design, loss: Softmax | Sigmoid, start: Float, penalty: float, *, tolerance: float = TOLERANCE
) -> Float:
    """The coefficients (b, m, r + 1), intercept last, that minimise loss + penalty / 2 * squared coefficients.

    start has the same shape. The intercept is not penalised. A problem without a counting row keeps its start.
    """
    for found in steps(design, loss, start, penalty, tolerance=tolerance):
        start = found
    return start


def steps(
    design: Design, loss: Softmax | Sigmoid, start: Float, penalty: float, *, tolerance: float = TOLERANCE
) -> Iterator[Float]:
    """What `fit` goes through, from the start to the end; each is an array of its own."""
    rows, n = design.rows, len(design.rows)
    shape = start.shape
    theta = start.astype(np.float32, copy=True)
    if n == 0:
        yield theta
        return

    def logits_of(coefficients: Float) -> Float:
        flat = coefficients.reshape(-1, shape[-1])
        out: Float = flat[:, :-1] @ rows.T
        out += flat[:, -1:]
        return out.reshape(shape[0], shape[1], n)

    def gradient_of(coefficients: Float, residual: Float) -> Float:
        flat = residual.reshape(-1, n)
        gradient = np.empty_like(coefficients)
        gradient[..., :-1] = (flat @ rows).reshape(shape[0], shape[1], -1)
        gradient[..., :-1] += np.float32(penalty) * coefficients[..., :-1]
        gradient[..., -1] = flat.sum(axis=1).reshape(shape[:2])
        return gradient

    def squared(coefficients: Float) -> NDArray[np.float64]:
        return _dot(coefficients[..., :-1], coefficients[..., :-1])

    logits = logits_of(theta)
    value, residual = loss(logits)
    value += penalty / 2 * squared(theta)
    gradient = gradient_of(theta, residual)
    curvature = max(1e-3, float(loss.weights.mean()) / (4 if isinstance(loss, Sigmoid) else max(2, shape[1])))
    precondition = design.preconditioner(curvature, penalty)
    history: list[tuple[Float, Float, NDArray[np.float64]]] = []
    scale: NDArray[np.float64] = np.ones(shape[0])
    yield theta
    for iteration in range(ITERATIONS):
        direction = -_two_loops(gradient, history, scale, precondition)
        slope = _dot(gradient, direction)
        active = (-slope > tolerance * np.maximum(value, 1e-6)) & (slope < 0)
        if not active.any():
            break
        along = logits_of(direction)
        if iteration == 0:
            bend = loss.curvature(logits, along) + penalty * squared(direction)
            step = np.where(bend > 0, -slope / np.maximum(bend, 1e-12), 1.0)
        else:
            step = np.ones(shape[0])
        step[~active] = 0.0
        for _ in range(_BACKTRACKS):
            stretch = step.astype(np.float32)[:, None, None]
            tried = theta + stretch * direction
            tried_logits = logits + stretch * along
            tried_value, residual = loss(tried_logits)
            tried_value += penalty / 2 * squared(tried)
            failed = tried_value > value + 1e-4 * step * slope + 1e-6 * np.abs(value)
            if not failed.any():
                break
            step[failed] *= 0.4
        else:
            break
        new_gradient = gradient_of(tried, residual)
        change, bent = tried - theta, new_gradient - gradient
        product = _dot(change, bent)
        sound = product > 1e-10
        history.append((change, bent, np.where(sound, 1.0 / np.where(sound, product, 1.0), 0.0)))
        history = history[-MEMORY:]
        if iteration < 3:  # the overall curvature changes little after that
            smooth = _dot(bent, precondition(bent))
            scale = np.where(sound & (smooth > 0), product / np.where(smooth > 0, smooth, 1.0), scale)
        theta, logits, value, gradient = tried, tried_logits, tried_value, new_gradient
        yield theta


def _two_loops(
    gradient: Float,
    history: list[tuple[Float, Float, NDArray[np.float64]]],
    scale: NDArray[np.float64],
    precondition: Preconditioner,
) -> Float:
    """L-BFGS's product of the inverse Hessian with the gradient, per problem."""
    q = gradient.copy()
    shares = []
    for change, bent, inverse in reversed(history):
        share = inverse * _dot(change, q)
        q -= share.astype(np.float32)[:, None, None] * bent
        shares.append(share)
    q = precondition(q) * scale.astype(np.float32)[:, None, None]
    for (change, bent, inverse), share in zip(history, reversed(shares), strict=True):
        back = inverse * _dot(bent, q)
        q += (share - back).astype(np.float32)[:, None, None] * change
    return q


def _dot(a: Float, b: Float) -> NDArray[np.float64]:
    """One inner product per problem."""
    products: NDArray[np.float64] = np.einsum("bmd,bmd->bm", a, b).sum(axis=-1, dtype=np.float64)
    return products
