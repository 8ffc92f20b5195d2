"""Novelty: how unlike all normal frames a frame is, and from where on that is worth a look.

A frame's distance to its nearest normal frames, where directions in which normal frames differ anyway count little. The
metric is the inverse covariance of the normal frames, shrunk towards an even one (Mahalanobis distance with the
shrinkage of Ledoit and Wolf, 2004); nearest normal frames instead of their mean alone, as in PatchCore (Roth et al.,
arXiv:2106.08265), because normal frames may be of several kinds. To it is added how far the frame is from the mean of
all in the average direction, in which one extraordinary direction says little: a small defect shows a little in many.

On embeddings of circuit boards, clothing, photographs and traffic lights by a pretrained network this separated better
than nearest neighbours by cosine, local outlier factors and isolation forests; `bench/dynamic.py` prints by how much on
circuit boards. On histograms of the classic encoder, isolation forests are better.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from scipy.linalg import solve_triangular  # type: ignore[import-untyped]
from sklearn.covariance import ledoit_wolf_shrinkage

from ..contract import Embeddings, Ids

_NEAREST = 3
_AVERAGE = 2.0
"""What a deviation in the average direction counts, beside the distance."""
_FOLDS = 5
_MOST = 8192
"""Normal frames that are kept; of more, an even sample."""
_TAIL = 0.25
"""The share of the unseen scores from which the tail is drawn on, where they are too few for the share asked."""
_BATCH = 1024


class Novelty:
    """Fitted on normal frames only. Scores are multiples of what is usual for a normal frame that was not seen."""

    def __init__(self) -> None:
        self._space: _Space | None = None
        self._usual = 1.0
        self.unseen = np.zeros(0, np.float32)
        """Scores of normal frames by models that had not seen their group, ascending, float32 (n,)."""

    def fit(self, embeddings: Embeddings, groups: Ids) -> None:
        """embeddings float32 (n, d), n at least 2, of normal frames; groups int64 (n,): frames of one group (a media,
        say) never judge each other, unless there is but one group. Raises ValueError for fewer than 2."""
        if embeddings.ndim != 2 or len(embeddings) < 2 or len(groups) != len(embeddings):
            raise ValueError(f"at least 2 normal frames with their groups, got {embeddings.shape} and {len(groups)}")
        if len(embeddings) > _MOST:
            kept = np.linspace(0, len(embeddings) - 1, _MOST).round().astype(np.int64)
            embeddings, groups = embeddings[kept], groups[kept]
        folds = _dealt(groups)
        unseen = np.empty(len(embeddings), np.float32)
        for fold in np.unique(folds):
            inside = folds == fold
            unseen[inside] = _Space.of(embeddings[~inside]).distances(embeddings[inside])
        self._space = _Space.of(embeddings)
        self._usual = float(np.median(unseen)) or 1.0
        self.unseen = np.sort(unseen / np.float32(self._usual))

    def score(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """float32 (n,), 0 and up; a normal frame has about 1. Raises ValueError before `fit`, and for other dims."""
        space = self._space
        if space is None:
            raise ValueError("fit on normal frames first")
        if embeddings.shape[1:] != space.centre.shape:
            raise ValueError(f"fitted on {len(space.centre)} dimensions, got {embeddings.shape}")
        return np.asarray(space.distances(embeddings) / np.float32(self._usual), np.float32)

    def cutoff(self, share: float = 0.01) -> float:
        """The score that about this share, above 0 and up to 1, of unseen normal frames exceeds.

        Taken from the unseen scores where there are enough (split conformal prediction, Vovk et al., 2005); else from
        the exponential that goes on where their upper quarter ends (peaks over threshold, Pickands, 1975).
        """
        if not 0 < share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {share}")
        if not len(self.unseen):
            raise ValueError("fit on normal frames first")
        count = len(self.unseen)
        rank = int(np.ceil((count + 1) * (1 - share)))
        if rank <= count:
            return float(self.unseen[max(rank, 1) - 1])
        start = float(np.quantile(self.unseen, 1 - _TAIL))
        excess = float(np.mean(self.unseen[self.unseen >= start])) - start
        return max(start + excess * float(np.log(_TAIL / share)), float(self.unseen[-1]))

    def save(self, directory: Path) -> None:
        """Into an existing directory."""
        if self._space is None:
            raise ValueError("fit on normal frames first")
        space = self._space
        arrays = {"centre": space.centre, "factor": space.factor, "normal": space.normal, "unseen": self.unseen}
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()}, directory / "novelty.safetensors"
        )
        (directory / "novelty.json").write_text(json.dumps({"usual": self._usual}))

    @classmethod
    def load(cls, directory: Path) -> Novelty:
        arrays = load_file(directory / "novelty.safetensors")
        novelty = cls()
        novelty._usual = float(json.loads((directory / "novelty.json").read_text())["usual"])
        novelty._space = _Space(arrays["centre"], arrays["factor"], arrays["normal"])
        novelty.unseen = arrays["unseen"]
        return novelty


@dataclass(frozen=True)
class _Space:
    """Where every direction varies alike among normal frames: factor float32 (d, d) is the lower triangle whose square
    is their covariance, centre float32 (d,) their mean, normal float32 (n, d) they themselves within it."""

    centre: NDArray[np.float32]
    factor: NDArray[np.float32]
    normal: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Embeddings) -> _Space:
        centre = rows.mean(axis=0, dtype=np.float64)
        around = rows - centre
        covariance = around.T @ around / len(rows)
        even = float(np.trace(covariance)) / len(centre)
        # Where all frames are the same, any direction is as good as another.
        shrinkage = float(ledoit_wolf_shrinkage(around, assume_centered=True)) if even > 1e-12 else 1.0
        shrunk = (1 - shrinkage) * covariance
        # A little of the even one always: two frames span one direction only.
        shrunk.flat[:: len(centre) + 1] += (max(shrinkage, 1e-3) * even) or 1.0 / len(centre)
        factor = np.linalg.cholesky(shrunk).astype(np.float32)
        space = cls(centre.astype(np.float32), factor, np.zeros((0, len(centre)), np.float32))
        return cls(space.centre, space.factor, space.placed(rows))

    def placed(self, rows: Embeddings) -> NDArray[np.float32]:
        found = solve_triangular(self.factor, (rows - self.centre).T, lower=True, check_finite=False)
        return np.ascontiguousarray(found.T, np.float32)

    def distances(self, rows: Embeddings) -> NDArray[np.float32]:
        """From the nearest normal frames, and in the average direction from the mean of all, float32 (n,)."""
        parts = [self._distances(rows[at : at + _BATCH]) for at in range(0, len(rows), _BATCH)]
        return np.concatenate([np.zeros(0, np.float32), *parts])

    def _distances(self, rows: Embeddings) -> NDArray[np.float32]:
        placed, normal = self.placed(rows), self.normal
        squares = np.einsum("ij,ij->i", placed, placed)[:, None] + np.einsum("ij,ij->i", normal, normal)
        squares -= 2 * (placed @ normal.T)
        near = min(_NEAREST, len(normal))
        nearest = np.partition(squares, near - 1, axis=1)[:, :near]
        distance = np.sqrt(np.maximum(nearest, 0) / placed.shape[1]).mean(axis=1)
        return np.asarray(distance + _AVERAGE * np.abs(placed).mean(axis=1), np.float32)


def _dealt(groups: Ids) -> Ids:
    """A fold for each row, whole groups to each in turn, the largest first; rows where there is but one group."""
    _, numbered, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) == 1:
        return np.arange(len(groups), dtype=np.int64) * min(_FOLDS, len(groups)) // len(groups)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.asarray((rank % _FOLDS)[numbered], np.int64)
