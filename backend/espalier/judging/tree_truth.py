"""Tree truth: what people said of each row about the whole tree, and what follows from it.

Nobody says "no" to the children of an option that does not hold, and yet they do not hold there: an answer to them is
wrong. What is neither said nor follows stays unknown, and counts neither for a model nor against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from espalier_ontology.tree import Classification, Condition, Ontology, Path

from ..learning.metrics import Bits
from ..learning.model import Model
from ..learning.tree_answers import closed_upward


@dataclass(frozen=True)
class Told:
    """The truth about one classification. Columns are its options, all of them, in the ontology's order.

    holds, known bool (n, p): holds is False wherever nothing is known. denied bool (n,): its parents' answers do not
    let it be asked.
    """

    paths: tuple[Path, ...]
    holds: Bits
    known: Bits
    denied: Bits


@dataclass(frozen=True)
class _Said:
    """As people said it, judgeable or not. answered: bool (n,), anything at all was said of the classification.

    told_of: the options of which `ends` tells everything: those that were learned, and those that never hold.
    """

    paths: tuple[Path, ...]
    ends: Bits
    answered: Bits
    told_of: frozenset[Path]


def told(ontology: Ontology, model: Model, *, fitted: bool = False) -> dict[str, Told]:
    """By classification, what is known on each row of `Model.rows`.

    fitted: with the options that unseen scores say nothing about (`Evidence.counted`).
    """
    rows = len(model.rows)
    said: dict[str, _Said] = {}
    found: dict[str, Told] = {}
    for classification in ontology:
        paths = tuple(option.path for option in classification.options)
        holds, known, mask = (np.zeros((rows, len(paths)), np.bool_) for _ in range(3))
        column = {path: number for number, path in enumerate(paths)}
        denied = _denied(ontology, classification, said, found, rows)
        told_of: set[Path] = set()
        for siblings in classification.siblings():
            options = [column[path] for path in siblings.options]
            follows = denied.copy()
            if siblings.parent:
                above = column[siblings.parent]
                follows |= known[:, above] & ~holds[:, above]
            known[:, options] = follows[:, None]
            head = model.heads.get((classification.name, siblings.parent))
            if head is None:
                continue
            told_of |= {*head.options, *(path for path, count in head.counts.items() if not count)}
            if head.evidence is None:
                continue
            evidence = head.evidence
            still = [path in column for path in head.options]  # an option may be gone since it was answered
            at = [column[path] for path in head.options if path in column]
            said_of, holding = evidence.mask[:, still], evidence.targets[:, still] > 0.5
            mask[:, at] = said_of
            holds[:, at] = said_of & holding
            judged = said_of if fitted else evidence.counted[:, still]
            known[:, at] = np.where(said_of, judged, known[:, at])
        deeper = closed_upward(paths, holds)
        ends = holds & ~_has_child(paths, deeper)
        said[classification.name] = _Said(paths, ends, np.asarray(mask.any(axis=1)), frozenset(told_of))
        found[classification.name] = Told(paths, holds & known, known, denied)
    return found


def _denied(
    ontology: Ontology,
    classification: Classification,
    said: Mapping[str, _Said],
    found: Mapping[str, Told],
    rows: int,
) -> Bits:
    """Rows on which some condition is known not to hold."""
    denied = np.zeros(rows, np.bool_)
    for condition in classification.conditions:
        sure, holding, answered = np.ones(rows, np.bool_), np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        for name in condition.names:
            parent = said[name]
            sure &= parent.answered | found[name].denied
            answered |= parent.ends.any(axis=1)
            chosen = np.array([condition.options is None or path in condition.options for path in parent.paths], bool)
            holding |= parent.ends[:, chosen].any(axis=1)
        met = answered & ~holding if condition.negated else holding
        if _all_told(ontology, condition, said):
            denied |= sure & ~met
    return denied


def _all_told(ontology: Ontology, condition: Condition, said: Mapping[str, _Said]) -> bool:
    """Whether the model's rows tell everything of the options that the condition names."""
    if condition.options is None:
        return True
    return all(
        option.path in said[name].told_of
        for name in condition.names
        for option in ontology.classification(name).options
        if option.path in condition.options
    )


def _has_child(paths: tuple[Path, ...], holds: Bits) -> Bits:
    """bool (n, p): an option right below this one holds."""
    column = {path: number for number, path in enumerate(paths)}
    deeper = np.zeros_like(holds)
    for path in paths:
        if path[:-1] in column:
            deeper[:, column[path[:-1]]] |= holds[:, column[path]]
    return deeper
