"""Close pairs: all pairs of rows whose cosine reaches a bound, without most of the arithmetic, and missing none.

A cosine is at most the product of the first few coordinates plus the product of what is left of both lengths
(Cauchy-Schwarz). In coordinates turned so that the first few hold most, this bound costs a tenth of the product itself
and rules out nearly all pairs; the others are computed in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids

_BLOCK = 2048
_LEADING = 64
"""Of 16 to 128 coordinates, the quickest at 384 and at 1280 dimensions."""
_FEW = 0.002
"""Share of a block's pairs up to which they are computed one by one; above, the whole block is one product."""
_AGAIN = 8
"""Where the bound ruled out too little, so many blocks are computed at once before it is tried again."""
_ROUNDING = 2e-6
_DRAWN = 4096
_SEED = 3

Found = tuple[Ids, Ids, NDArray[np.float32]]


def close_pairs(
    embeddings: Embeddings,
    least: Callable[[], float],
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Found]:
    """In pieces: places i < j, int64 (m,) each, and their cosines float32 (m,), in [-1, 1], of `least` or more.

    embeddings float32 (n, d), rows of norm 1. `least` is asked before each piece, so that who looks for the best few
    can raise it; `report` hears how many pieces are done, of all. Holds one block of products at a time, besides the
    bound: memory grows with n, time with its square.
    """
    n = len(embeddings)
    bound = _bounding(embeddings)
    blocks = -(-n // _BLOCK)
    in_full = 0
    done, total = 0, blocks * (blocks + 1) // 2
    for a in range(0, n, _BLOCK):
        # The nearest blocks first: what is alike often lies beside each other, and raises the bar early.
        for b in range(a, n, _BLOCK):
            report(done, total)
            done += 1
            at_least = least()
            left, right = slice(a, a + _BLOCK), slice(b, b + _BLOCK)
            if in_full == 0:
                i, j = _reaching(bound[left] @ bound[right].T, at_least, same=a == b)
                in_full = _AGAIN if len(i) > _FEW * _BLOCK * _BLOCK else 0
            if in_full:
                in_full -= 1
                products = embeddings[left] @ embeddings[right].T
                i, j = _reaching(products, at_least, same=a == b)
                scores = products[i, j]
            else:
                scores = _cosines(embeddings, i + a, j + b)
            kept = scores >= at_least
            if kept.any():
                i, j = i[kept] + a, j[kept] + b
                yield i, j, np.clip(_near_one(embeddings, i, j, scores[kept]), -1.0, 1.0)


def _reaching(products: NDArray[np.float32], least: float, *, same: bool) -> tuple[Ids, Ids]:
    """Places of the pairs that may reach it; within one block, each pair once."""
    possible = products >= least - _ROUNDING
    if same:
        possible &= np.triu(np.ones(possible.shape, np.bool_), 1)
    at = np.flatnonzero(possible)
    i, j = np.divmod(at, products.shape[1])
    return i.astype(np.int64), j.astype(np.int64)


def _bounding(embeddings: Embeddings) -> Embeddings:
    """Rows whose products are no smaller than the cosines: the leading coordinates, and the length of the rest."""
    n, dim = embeddings.shape
    if dim <= 2 * _LEADING:
        return embeddings
    some = embeddings
    if n > _DRAWN:
        some = embeddings[np.sort(np.random.default_rng(_SEED).choice(n, _DRAWN, replace=False))]
    axes = np.linalg.eigh((some.T @ some).astype(np.float64))[1][:, -_LEADING:].astype(np.float32)
    bound = np.empty((n, _LEADING + 1), np.float32)
    np.matmul(embeddings, axes, out=bound[:, :-1])
    left = np.einsum("nd,nd->n", embeddings, embeddings) - np.einsum("nd,nd->n", bound[:, :-1], bound[:, :-1])
    bound[:, -1] = np.sqrt(np.maximum(left, 0.0) + _ROUNDING)
    return bound


def _cosines(embeddings: Embeddings, i: Ids, j: Ids) -> NDArray[np.float32]:
    found = np.empty(len(i), np.float32)
    for at in range(0, len(i), _BLOCK):
        part = slice(at, at + _BLOCK)
        found[part] = np.einsum("nd,nd->n", embeddings[i[part]], embeddings[j[part]])
    return found


def _near_one(embeddings: Embeddings, i: Ids, j: Ids, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Near 1 the product is rounded; the difference is not."""
    near = np.flatnonzero(scores > 0.999)
    for at in range(0, len(near), _BLOCK):
        part = near[at : at + _BLOCK]
        apart = embeddings[i[part]] - embeddings[j[part]]
        scores[part] = 1.0 - 0.5 * np.einsum("nd,nd->n", apart, apart)
    return scores
