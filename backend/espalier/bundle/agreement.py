"""How far two sets of embeddings of the same frames lead to the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from espalier_ontology.tree import Ontology

from ..contract import Embeddings
from ..learning.cutoffs import Cutoffs
from ..learning.head import Evidence
from ..learning.model import Model
from ..learning.questions import Key
from ..learning.rows import Rows
from ..learning.tree_answers import TreeAnswers, answered_tree


@dataclass(frozen=True)
class Agreement:
    """frames: compared. answers: the share of frames with the same answers to everything, in [0, 1], by the cutoffs in
    force and with parents before children. score_difference, score_difference_mean: of all options' scores, the
    largest and the mean."""

    frames: int
    answers: float
    by_classification: Mapping[str, float]
    score_difference: float
    score_difference_mean: float

    def to_json(self) -> dict[str, Any]:
        return {
            "frames": self.frames,
            "agreement": round(self.answers, 6),
            "by_classification": {name: round(share, 6) for name, share in self.by_classification.items()},
            "score_difference_max": round(self.score_difference, 6),
            "score_difference_mean": round(self.score_difference_mean, 6),
        }


def agreement(
    ontology: Ontology, model: Model, cutoffs: Mapping[Key, Cutoffs], one: Embeddings, other: Embeddings
) -> Agreement:
    """one, other: float32 (n, dim) of the same n frames, n >= 1."""
    first, second = (_answers(ontology, model, cutoffs, rows) for rows in (one, other))
    same = {name: (first[name].ends == second[name].ends).all(axis=1) for name in first}
    every = np.all(list(same.values()), axis=0) if same else np.ones(len(one), np.bool_)
    own, others = model.scores(one), model.scores(other)
    differences = np.concatenate([np.abs(own[key] - others[key]).ravel() for key in own] or [np.zeros(1)])
    return Agreement(
        len(one),
        float(every.mean()),
        {name: float(alike.mean()) for name, alike in same.items()},
        float(differences.max()),
        float(differences.mean()),
    )


def _answers(
    ontology: Ontology, model: Model, cutoffs: Mapping[Key, Cutoffs], embeddings: Embeddings
) -> dict[str, TreeAnswers]:
    """Every frame by itself, whatever media it is of."""
    count, zeros = len(embeddings), np.zeros(len(embeddings), np.int64)
    rows = Rows(np.zeros(count, np.str_), zeros, zeros, zeros, zeros.astype(np.int8))
    heads = {}
    for key, head in model.heads.items():
        if head.trained:
            scores = head.scores(embeddings)
            none = np.zeros(scores.shape, np.bool_)
            evidence = Evidence(np.zeros_like(scores), none, scores, scores, scores, none, none)
            head = replace(head, evidence=evidence)
        heads[key] = head
    return answered_tree(ontology, replace(model, heads=heads, rows=rows), cutoffs=cutoffs)
