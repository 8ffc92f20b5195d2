"""A head: everything that is known about one question after training, or why it could not be trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Classifier, Embeddings, Ids, Mask, Scores, Targets
from .calibration import Calibration
from .cutoffs import Cutoffs
from .metrics import Metrics
from .questions import Key


@dataclass(frozen=True)
class Evidence:
    """What the metrics were measured on: each row's scores by a model that had not seen the row's fold.

    media str (n,), frames int64 (n,), folds int64 (n,), targets and mask as in the question; scores float32 (n, k),
    calibrated by the other folds; answered bool (n, k), by the other folds' cutoffs; counted bool (n, k): cells that
    could be judged at all.
    """

    media: NDArray[np.str_]
    frames: Ids
    folds: Ids
    targets: Targets
    mask: Mask
    scores: Scores
    answered: NDArray[np.bool_]
    counted: NDArray[np.bool_]


@dataclass(frozen=True)
class Head:
    """The classifier of one question. Its options are those it was trained on, in the ontology's order."""

    classification: str
    parent: Path
    options: tuple[Path, ...]
    exclusive: bool
    plugin: str
    classifier: Classifier | None
    calibration: Calibration
    cutoffs: Cutoffs
    """float64 (k,)"""
    counts: Mapping[Path, int] = field(default_factory=dict)
    """For every option of the question, the rows on which it holds."""
    metrics: Metrics = field(default_factory=dict)
    per_option: Mapping[Path, Metrics] = field(default_factory=dict)
    reason: str = ""
    """Why it is untrained; empty where it is trained."""
    notes: tuple[str, ...] = ()
    """What people should know about the training, in words."""
    evidence: Evidence | None = None

    @property
    def key(self) -> Key:
        return self.classification, self.parent

    @property
    def trained(self) -> bool:
        return self.classifier is not None

    def scores(self, embeddings: Embeddings) -> Scores:
        """Calibrated, float32 (n, k)."""
        if self.classifier is None:
            return np.zeros((len(embeddings), 0), np.float32)
        return self.calibration(self.classifier.predict(embeddings))

    def summary(self) -> dict[str, Any]:
        """For people and for the record of model versions: plain JSON values."""
        return {
            "classification": self.classification,
            "parent": list(self.parent),
            "trained": self.trained,
            "reason": self.reason,
            "notes": list(self.notes),
            "options": [
                {
                    "path": list(option),
                    "count": count,
                    "cutoff": float(self.cutoffs[self.options.index(option)]) if option in self.options else None,
                    **self.per_option.get(option, {}),
                }
                for option, count in self.counts.items()
            ],
            **self.metrics,
        }


def untrained(classification: str, parent: Path, exclusive: bool, counts: Mapping[Path, int], reason: str) -> Head:
    """A head that scores nothing, and says why."""
    return Head(
        classification,
        parent,
        (),
        exclusive,
        "",
        None,
        Calibration.identity(0, exclusive=exclusive),
        np.zeros(0),
        counts,
        reason=reason,
    )
