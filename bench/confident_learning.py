"""Confident learning as the paper has it, to be compared with (Northcutt, Jiang & Chuang, JAIR 70, 2021).

Written from its sections 3.1 (the confident joint) and 3.2 (methods of cleaning) alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Found = NDArray[np.bool_]


def confident_learning(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, Found]:
    """Which rows each of the paper's methods takes for wrong, bool (n,), from scores (n, k) and given labels (n,)."""
    probable, (n, k) = scores.astype(np.float64), scores.shape
    at = np.arange(n)
    own = probable[at, labels]
    thresholds = np.array([own[labels == option].mean() if (labels == option).any() else np.inf for option in range(k)])
    confident = probable >= thresholds
    counted = confident.any(axis=1)
    true = np.where(confident, probable, -1.0).argmax(axis=1)  # of several above their threshold, the likeliest
    joint = np.zeros((k, k))  # given, true
    np.add.at(joint, (labels[counted], true[counted]), 1.0)
    given = np.bincount(labels, minlength=k).astype(np.float64)
    rows = joint.sum(axis=1, keepdims=True)
    counts = np.where(rows > 0, joint / np.maximum(rows, 1e-12), np.eye(k)) * given[:, None]  # calibrated to the counts
    by_class, by_rate = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for option in range(k):
        mine = np.flatnonzero(labels == option)
        wrong = round(given[option] - counts[option, option])
        by_class[mine[np.argsort(own[mine], kind="stable")[:wrong]]] = True
        for other in range(k):
            if other != option:
                margin = probable[mine, other] - probable[mine, option]
                by_rate[mine[np.argsort(-margin, kind="stable")[: round(counts[option, other])]]] = True
    return {
        "confident joint": counted & (true != labels),
        "prune by class": by_class,
        "prune by noise rate": by_rate,
        "both": by_class & by_rate,
    }
