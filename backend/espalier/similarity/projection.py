"""Projection: a map of embeddings in the plane, where near means alike."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings
from .principal import principal_axes

Method = Literal["pca", "umap"]
METHODS: tuple[str, ...] = get_args(Method)
_MOST = 20_000
"""Rows from which UMAP learns the map; others are put into it."""
_AXES = 50
_NEIGHBOURS = 15
_FEWEST = 8
"""Rows under which there is nothing to learn a map from."""

Points = NDArray[np.float32]


def has_umap() -> bool:
    """Whether `umap-learn` is installed (the extra `umap`)."""
    return find_spec("umap") is not None


def projection(embeddings: Embeddings, method: Method, *, seed: int = 0, most: int = _MOST) -> Points:
    """float32 (n, 2), each axis within [-1, 1], one scale for both; the same for the same rows and seed.

    embeddings float32 (n, d), rows of norm 1. pca: the two widest principal axes. umap (McInnes et al. 2018, on 50
    principal axes, learned from an even sample of `most` rows at most); raises ImportError where it is not installed.
    """
    if method == "umap" and len(embeddings) >= _FEWEST:
        mean, axes = principal_axes(embeddings, _AXES)
        return _framed(_umap(np.asarray((embeddings - mean) @ axes, np.float32), seed, most))
    mean, axes = principal_axes(embeddings, 2)
    points = np.zeros((len(embeddings), 2), np.float32)
    points[:, : axes.shape[1]] = (embeddings - mean) @ axes
    return _framed(points)


def _umap(rows: NDArray[np.float32], seed: int, most: int) -> Points:
    # Imported here: it takes seconds, and need not be installed.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on threads and seeds: of what is asked for here
        from umap import UMAP

        some = np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(np.int64)
        model = UMAP(
            n_neighbors=min(_NEIGHBOURS, len(some) - 1),
            init="pca",
            random_state=seed,
            transform_seed=seed,
            n_jobs=1,
        )
        points = np.empty((len(rows), 2), np.float32)
        points[some] = model.fit_transform(rows[some])
        others = np.ones(len(rows), np.bool_)
        others[some] = False
        if others.any():
            points[others] = model.transform(rows[others])
    return points


def _framed(points: Points) -> Points:
    if not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    half = max(float((high - low).max()) / 2, 1e-12)
    return np.asarray(np.clip((points - (low + high) / 2) / half, -1, 1), np.float32)
