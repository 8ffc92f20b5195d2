"""Hierarchy: how good the answers to the whole tree are, taken together.

Precision, recall and F1 over paths with their ancestors are those of Kiritchenko, Matwin, Nock and Famili, "Learning
and Evaluation in the Presence of Class Hierarchies" (2006): an answer is the set of all options on its path, so that a
wrong leaf under the right parent is half right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from espalier_ontology.tree import Ontology

from ..contract import Ids
from ..learning.metrics import Bits
from ..learning.model import Model
from ..learning.tree_answers import TreeAnswers, orphans
from .tree_truth import Told

Figures = dict[str, Any]


def hierarchy(
    ontology: Ontology, model: Model, answers: Mapping[str, TreeAnswers], truth: Mapping[str, Told], rows: Ids
) -> Figures:
    """Plain JSON values, None where a figure cannot be computed. rows: which of the model's to look at.

    precision, recall, f1: over the options of all answered and true paths. subset_accuracy: rows on which everything
    that is known is answered right. orphan_rate: rows with an answer that its parents do not let be asked.

    Over child questions (below an option, or of a classification that is asked under a condition), on the rows where
    people answered them: end_to_end_child_accuracy: everything right, where the model had to find the parent, too.
    conditional_child_accuracy: the same of the rows on which it did, child_rows_reached of child_rows.

    classifications: by name, precision, recall, f1, and path_accuracy: rows (of those where anything is known) with
    every path right.
    """
    right, given, held = 0, 0, 0
    each: dict[str, Figures] = {}
    wrong, known = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    for classification in ontology:
        found, told = answers[classification.name], truth[classification.name]
        certain, holds = told.known[rows], told.holds[rows]
        answered = found.holds[rows] & certain
        own = int((answered & holds).sum()), int(answered.sum()), int(holds.sum())
        differs, counted = np.asarray((answered != holds).any(axis=1)), np.asarray(certain.any(axis=1))
        right, given, held = right + own[0], given + own[1], held + own[2]
        wrong |= differs
        known |= counted
        if counted.any():
            each[classification.name] = {
                **_scores(*own),
                "rows": int(counted.sum()),
                "path_accuracy": float((~differs)[counted].mean()),
            }
    return {
        "rows": int(known.sum()),
        **_scores(right, given, held),
        "subset_accuracy": float((~wrong)[known].mean()) if known.any() else None,
        **_children(ontology, model, answers, truth, rows),
        "orphan_rate": float(orphans(ontology, answers)[rows].mean()) if len(rows) else None,
        "classifications": each,
    }


def _scores(right: int, given: int, held: int) -> Figures:
    return {
        "precision": right / given if given else None,
        "recall": right / held if held else None,
        "f1": 2 * right / (given + held) if given + held else None,
    }


def _children(
    ontology: Ontology, model: Model, answers: Mapping[str, TreeAnswers], truth: Mapping[str, Told], rows: Ids
) -> Figures:
    asked = reached = right = right_reached = 0
    for (name, parent), head in model.heads.items():
        if head.evidence is None or name not in ontology:
            continue
        if not parent and not ontology.classification(name).conditions:
            continue
        found, told = answers[name], truth[name]
        still = [path in found.paths for path in head.options]
        at = np.array([found.paths.index(path) for path in head.options if path in found.paths], np.int64)
        if parent and parent not in found.paths:
            continue
        said = head.evidence.mask[rows][:, still] & told.known[np.ix_(rows, at)]
        found_parent: Bits = found.asked if not parent else found.holds[:, found.paths.index(parent)]
        here, there = np.asarray(said.any(axis=1)), found_parent[rows]
        exact = ~((found.holds[np.ix_(rows, at)] != told.holds[np.ix_(rows, at)]) & said).any(axis=1)
        asked += int(here.sum())
        reached += int((here & there).sum())
        right += int((here & exact).sum())
        right_reached += int((here & there & exact).sum())
    return {
        "child_rows": asked,
        "child_rows_reached": reached,
        "conditional_child_accuracy": right_reached / reached if reached else None,
        "end_to_end_child_accuracy": right / asked if asked else None,
    }
