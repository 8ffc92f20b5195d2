"""Label doubt: how probable it is that each answer is wrong, and what would hold instead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids, Mask, Scores, Targets
from .label_noise import LabelNoise

Doubt = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]
"""wrong float64 (n, k): how probable, 0 where nothing is judged; cells bool (n, k): what is judged, one a row where
exclusive; instead bool (n, k): what would hold if it is wrong."""


def doubt(
    scores: Scores,
    targets: Targets,
    mask: Mask,
    *,
    exclusive: bool,
    background: bool,
    media: NDArray[np.str_] | None = None,
    seed: int = 0,
) -> Doubt:
    """Of each answer. With media, rows of one media of which the same was said are judged by their mean scores."""
    probable, holds = scores.astype(np.float64), mask & (targets > 0.5)
    if media is not None:
        same = same_said(media, holds, mask)
        sums = np.zeros((int(same.max(initial=-1)) + 1, scores.shape[1]))
        np.add.at(sums, same, probable)
        probable = (sums / np.maximum(np.bincount(same), 1)[:, None])[same]
    if exclusive:
        return _exclusive(probable, holds, mask, background, seed)
    return _independent(probable, holds, mask, seed)


def same_said(media: NDArray[np.str_], *said: NDArray[np.bool_]) -> Ids:
    """Numbers int64 (n,) that are equal for rows of one media with equal values bool (n, k), from 0."""
    numbers = np.unique(media, return_inverse=True)[1].reshape(-1)
    table = np.column_stack((numbers, *said)).astype(np.int64)
    return np.unique(table, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _exclusive(scores: NDArray[np.float64], holds: NDArray[np.bool_], mask: Mask, background: bool, seed: int) -> Doubt:
    n, k = holds.shape
    none = mask.all(axis=1) & ~holds.any(axis=1) & background
    rows = np.flatnonzero((holds.sum(axis=1) == 1) | none)
    wrong, cells, instead = np.zeros((n, k)), np.zeros((n, k), np.bool_), holds.copy()
    columns = k + background
    if columns < 2 or not len(rows):
        return wrong, cells, instead
    if background:
        scores = np.column_stack((scores, np.maximum(1.0 - scores.sum(axis=1), 0.0)))
    labels = np.where(none, k, holds.argmax(axis=1))[rows]
    true = LabelNoise.of(scores[rows], labels, seed=seed).true_options(scores[rows], labels)
    at = np.arange(len(rows))
    doubted = 1.0 - true[at, labels]
    true[at, labels] = -1.0
    true[:, :k][~mask[rows]] = -1.0  # what is not known of a row is not suggested
    best = true.argmax(axis=1)
    instead[rows] = np.eye(columns, dtype=np.bool_)[best][:, :k]
    # A row of none of the options has no cell of its own: the option that it looks like takes its doubt.
    cell = np.where(labels < k, labels, np.minimum(best, k - 1))
    wrong[rows, cell], cells[rows, cell] = doubted, True
    return wrong, cells, instead


def _independent(scores: NDArray[np.float64], holds: NDArray[np.bool_], mask: Mask, seed: int) -> Doubt:
    wrong = np.zeros(holds.shape)
    for option in range(holds.shape[1]):
        rows = np.flatnonzero(mask[:, option])
        labels = holds[rows, option].astype(np.int64)
        if len(np.unique(labels)) == 2:  # else there is nothing to tell it from
            both = np.column_stack((1.0 - scores[rows, option], scores[rows, option]))
            true = LabelNoise.of(both, labels, seed=seed).true_options(both, labels)
            wrong[rows, option] = true[np.arange(len(rows)), 1 - labels]
    return wrong, mask, ~holds & mask
