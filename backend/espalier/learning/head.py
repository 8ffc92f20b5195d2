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
from .live import known_scores, lives
from .metrics import Metrics
from .questions import Key


@dataclass(frozen=True)
class Evidence:
    """What a head's metrics are measured on. Every array has one row per row of the model's `Rows`.

    targets float32 (n, k) and mask bool (n, k) as in the question; a row that it does not ask about is masked whole.
    raw float32 (n, k): scores by a classifier that had not seen the row's group: for training and validation rows, one
    fitted on the other folds; for test rows, one fitted on all of training and validation.
    scores float32 (n, k): the same, calibrated by other folds (test rows: by training and validation).
    fitted float32 (n, k): calibrated scores by the classifier that was fitted on training and validation, which has
    seen the former and, apart from the test rows, the latter.
    answered bool (n, k): by cutoffs that were not chosen on the row's fold.
    counted bool (n, k): cells that can be judged at all (an option whose rows all lie in one fold cannot).
    """

    targets: Targets
    mask: Mask
    raw: Scores
    scores: Scores
    fitted: Scores
    answered: NDArray[np.bool_]
    counted: NDArray[np.bool_]


@dataclass(frozen=True)
class Steps:
    """How a fixed sample of rows was scored while a classifier learned from the training rows alone.

    numbers int64 (s,): steps, from 0 (before anything was learned), ascending. rows int64 (m,): which of the model's
    `Rows`; some of training, and of validation. scores float32 (s, m, k), not calibrated.
    """

    numbers: Ids
    rows: Ids
    scores: NDArray[np.float32]


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
    steps: Steps | None = None
    background: bool = False
    """Exclusive, but a frame may show none of the options: scores then sum to less than 1."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the classifier chose for itself, plain JSON values."""

    @property
    def key(self) -> Key:
        return self.classification, self.parent

    @property
    def trained(self) -> bool:
        return self.classifier is not None

    @property
    def living(self) -> bool:
        """Whether it goes on learning from every answer."""
        return lives(self.classifier)

    def scores(self, embeddings: Embeddings) -> Scores:
        """Calibrated, float32 (n, k)."""
        if self.classifier is None:
            return np.zeros((len(embeddings), 0), np.float32)
        scores = self.calibration(self.classifier.predict(embeddings))
        return known_scores(scores, len(self.options)) if self.living else scores[:, : len(self.options)]

    def summary(self) -> dict[str, Any]:
        """For people and for the record of model versions: plain JSON values."""
        return {
            "classification": self.classification,
            "parent": list(self.parent),
            "trained": self.trained,
            "plugin": self.plugin,
            "parameters": dict(self.parameters),
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
