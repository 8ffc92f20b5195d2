"""Soft targets: what a model says of frames, as something for a network to learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from espalier_ontology.tree import Ontology

from ..contract import Ids, Mask, Scores, Targets, Weights
from .dealing import Bits
from .head import Evidence, Head
from .model import Model
from .questions import Key
from .rows import Rows
from .tree_answers import TreeAnswers, answered_tree
from .tuning_lesson import Asked

SHARE = 0.5
"""How much the teacher says, where people said something."""


def answered_by(ontology: Ontology, teacher: Model, scores: Mapping[Key, Scores]) -> dict[str, TreeAnswers]:
    """What it answers on frames that it scores so, parents before children: by classification."""
    rows = len(next(iter(scores.values()))) if scores else 0
    zeros: Ids = np.zeros(rows, np.int64)
    heads = {key: replace(head, evidence=_as_evidence(head, scores.get(key))) for key, head in teacher.heads.items()}
    rows_of = Rows(np.zeros(rows, np.str_), zeros, zeros, zeros, np.zeros(rows, np.int8))
    return answered_tree(ontology, replace(teacher, heads=heads, rows=rows_of))


def soft_targets(
    asked: Asked,
    head: Head | None,
    scores: Scores | None,
    answered: TreeAnswers | None,
    train: Bits,
) -> tuple[Targets, Mask, Weights]:
    """Targets float32 in [0, 1], mask and weights (m, k), by row of the lesson and then of frames without answers.

    head, scores: the teacher's of the same question, float32 (m, k of the head). train bool (m,): rows that may be
    taught. Where people answered, the teacher has its share; where nobody did, it says everything, on frames on which
    it would ask the question. What it cannot say is as it was.
    """
    rows, labeled, k = len(train), len(asked.targets), asked.targets.shape[1]
    targets, mask, weights = (
        np.zeros((rows, k), np.float32),
        np.zeros((rows, k), np.bool_),
        np.zeros((rows, k), np.float32),
    )
    targets[:labeled], mask[:labeled], weights[:labeled] = asked.targets, asked.mask, asked.weights
    if head is None or scores is None or head.exclusive != asked.exclusive:
        return targets, mask, weights
    at = [head.options.index(option) if option in head.options else -1 for option in asked.options]
    known = np.array([place >= 0 for place in at], np.bool_)
    if asked.exclusive and not known.all():  # shares of a whole of which the teacher knows a part
        return targets, mask, weights
    said = np.zeros((rows, k), np.float32)
    said[:, : len(at)][:, known] = scores[:, [place for place in at if place >= 0]]
    if asked.background:
        said[:, -1] = np.clip(1.0 - said[:, :-1].sum(axis=1), 0.0, 1.0)
        known = np.append(known, True)
    elif asked.exclusive:
        said /= np.maximum(said.sum(axis=1, keepdims=True), np.float32(1e-6))
    new = (np.arange(rows) >= labeled) & train & _is_asked(asked, answered, rows)
    old = mask & train[:, None] & known
    fresh = new[:, None] & known
    mixed = np.where(old, (1 - SHARE) * targets + SHARE * said, targets)
    return (
        np.where(fresh, said, mixed).astype(np.float32),
        np.asarray(mask | fresh),
        np.where(fresh, 1.0, weights).astype(np.float32),
    )


def _is_asked(asked: Asked, answered: TreeAnswers | None, rows: int) -> Bits:
    if answered is None:
        return np.zeros(rows, np.bool_)
    if not asked.parent:
        return answered.asked
    return np.asarray(answered.asked & answered.holds[:, answered.paths.index(asked.parent)])


def _as_evidence(head: Head, scores: Scores | None) -> Evidence | None:
    if scores is None:
        return None
    none = np.zeros(scores.shape, np.bool_)
    return Evidence(np.zeros_like(scores), none, scores, scores, scores, none, none)
