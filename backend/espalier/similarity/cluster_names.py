"""Names of clusters: the label that sets each apart from the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids

_BEYOND_CHANCE = 3.0
"""Standard deviations by which a share must be above the usual one."""
_FEWEST = 2


@dataclass(frozen=True)
class ClusterName:
    """option: a column. share: of the frames of the cluster that were asked, how many show it; usual: of all."""

    option: int
    share: float
    usual: float


def cluster_names(member: Ids, holds: NDArray[np.bool_], asked: NDArray[np.bool_]) -> dict[int, ClusterName]:
    """By cluster, the option whose share there is furthest above its share among all frames; none where none is.

    member int64 (n,), -1 is no cluster; holds and asked bool (n, k): which options hold on a frame, and about which
    something was said.
    """
    names: dict[int, ClusterName] = {}
    told = holds & asked
    answered = asked.sum(axis=0)
    usual = told.sum(axis=0) / np.maximum(answered, 1)
    for cluster in np.unique(member[member >= 0]).tolist():
        inside = member == cluster
        known = asked[inside].sum(axis=0)
        count = told[inside].sum(axis=0)
        share = count / np.maximum(known, 1)
        deviation = np.sqrt(usual * (1 - usual) / np.maximum(known, 1))
        over = (count >= _FEWEST) & (share - usual > _BEYOND_CHANCE * deviation) & (share > usual)
        if not over.any():
            continue
        gain = np.where(over, share - usual, -np.inf)
        best = int(gain.argmax())
        names[cluster] = ClusterName(best, float(share[best]), float(usual[best]))
    return names
