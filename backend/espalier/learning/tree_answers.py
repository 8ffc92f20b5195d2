"""Tree answers: what a model answers on each of its rows once parents are answered too, for all rows at once.

It is what `decide` and `rules.enforce` make of a media of one frame (the tests hold the two against each other on
random trees), so that the whole tree can be judged on thousands of rows after each training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from espalier_ontology.tree import Classification, Condition, Ontology, Path

from .cutoffs import Cutoffs
from .decision import Decision
from .descent import Descent, descend
from .head import Head
from .metrics import Bits, Numbers
from .model import Model
from .questions import Key


@dataclass(frozen=True)
class TreeAnswers:
    """The answers to one classification. Columns are its options, all of them, in the ontology's order.

    by_label bool (n, p) each: where an answered path ends; an attribute has one for each timeline label in whose
    regions it may stand, everything else one under None. asked bool (n,): the rows on which parents let it be asked.
    confidence float64 (n, p), 0 for what was never learned; cutoffs float64 (p,), infinite there.
    """

    paths: tuple[Path, ...]
    by_label: Mapping[Path | None, Bits]
    asked: Bits
    confidence: Numbers
    cutoffs: Cutoffs
    exclusive: bool
    """At most one path ends on a row."""

    @property
    def ends(self) -> Bits:
        """bool (n, p), under any label."""
        found = np.zeros((len(self.asked), len(self.paths)), np.bool_)
        for ends in self.by_label.values():
            found |= ends
        return found

    @property
    def holds(self) -> Bits:
        """bool (n, p): the ends, and every option above them."""
        return closed_upward(self.paths, self.ends)


def answered_tree(
    ontology: Ontology, model: Model, *, cutoffs: Mapping[Key, Cutoffs] | None = None, fitted: bool = False
) -> dict[str, TreeAnswers]:
    """By classification, what is answered on each row of `Model.rows`.

    cutoffs: by question, instead of those that predictions go by. fitted: by the scores of a classifier that learned
    from the training rows, instead of by those of classifiers that had not seen the row.
    """
    scores = {
        key: head.evidence.fitted if fitted else head.evidence.scores
        for key, head in model.heads.items()
        if head.evidence is not None
    }
    given = cutoffs or {}
    usual = Decision()
    found: dict[str, TreeAnswers] = {}
    for classification in ontology:

        def cutoffs_of(head: Head, asked: Classification = classification) -> Cutoffs:
            return given[head.key] if head.key in given else usual.of(asked, head)

        descent = descend(classification, model.heads, scores, cutoffs_of, len(model.rows))
        found[classification.name] = _settled(ontology, classification, descent, found, len(model.rows))
    return found


def closed_upward(paths: tuple[Path, ...], ends: Bits) -> Bits:
    """With every option above one that holds; paths stand after their parents."""
    column = {path: number for number, path in enumerate(paths)}
    holds = ends.copy()
    for path in reversed(paths):
        if path[:-1] in column:
            holds[:, column[path[:-1]]] |= holds[:, column[path]]
    return holds


def orphans(ontology: Ontology, answers: Mapping[str, TreeAnswers]) -> Bits:
    """Rows on which anything is answered that its parents do not let be asked, bool (n,); there must be none."""
    found = np.zeros(max((len(one.asked) for one in answers.values()), default=0), np.bool_)
    for classification in ontology:
        for label, ends in answers[classification.name].by_label.items():
            found |= ends.any(axis=1) & ~_asked(ontology, classification, answers, label, len(ends))
    return found


def _settled(
    ontology: Ontology, classification: Classification, descent: Descent, above: Mapping[str, TreeAnswers], rows: int
) -> TreeAnswers:
    """What of a descent stands, given the answers to the classifications above."""
    paths = tuple(option.path for option in classification.options)
    place = {path: number for number, path in enumerate(paths)}
    still = [path in place for path in descent.paths]  # an option may be gone since the model learned it
    at = [place[path] for path in descent.paths if path in place]
    confidence: Numbers = np.zeros((rows, len(paths)))
    ends: Bits = np.zeros((rows, len(paths)), np.bool_)
    cutoffs = np.full(len(paths), np.inf)
    confidence[:, at], ends[:, at] = descent.confidence[:, still], descent.ends[:, still]
    cutoffs[at] = descent.cutoffs[still]
    if classification.exclusive and not descent.exclusive:  # its options were learned one by one
        ends = _best_alone(confidence, ends)
    labels: list[Path | None] = [None]
    if classification.per_region:
        labels = list({label for permitted in ontology.labels(classification.name).values() for label in permitted})
    asked = {label: _asked(ontology, classification, above, label, rows) for label in labels}
    return TreeAnswers(
        paths,
        {label: ends & where[:, None] for label, where in asked.items()},
        np.asarray(np.logical_or.reduce(list(asked.values()))) if asked else np.zeros(rows, np.bool_),
        confidence,
        cutoffs,
        descent.exclusive or classification.exclusive,
    )


def _best_alone(confidence: Numbers, ends: Bits) -> Bits:
    """The most confident end of each row; on a tie the one that the configuration names first."""
    best = np.where(ends, confidence, -1.0).argmax(axis=1) if ends.shape[1] else np.zeros(len(ends), np.int64)
    alone = np.zeros_like(ends)
    alone[np.arange(len(ends)), best] = ends.any(axis=1)
    return alone


def _asked(
    ontology: Ontology,
    classification: Classification,
    above: Mapping[str, TreeAnswers],
    label: Path | None,
    rows: int,
) -> Bits:
    """The rows on which all conditions hold, for an attribute in the regions of one label."""
    asked = np.ones(rows, np.bool_)
    if classification.per_region:
        timelines = [name for name, labels in ontology.labels(classification.name).items() if label in labels]
        asked = np.zeros(rows, np.bool_)
        for name in timelines:
            asked |= _column(above[name], label)
    for condition in classification.conditions:
        asked &= _met(ontology, condition, above, label if classification.per_region else None, rows)
    return asked


def _met(
    ontology: Ontology, condition: Condition, above: Mapping[str, TreeAnswers], label: Path | None, rows: int
) -> Bits:
    """Where a condition holds; label: only what was answered in its regions counts, or None."""
    answered, holding = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
    for name in condition.names:
        parent, found = ontology.classification(name), above[name]
        counted = [found.ends]
        if label is not None and parent.kind == "timeline":
            counted = [found.ends & np.array([path == label for path in found.paths], np.bool_)]
        elif label is not None and parent.per_region:
            counted = [found.by_label[label]] if label in found.by_label else []
        for ends in counted:
            answered |= ends.any(axis=1)
            chosen = [condition.options is None or path in condition.options for path in found.paths]
            holding |= ends[:, chosen].any(axis=1)
    return answered & ~holding if condition.negated else holding


def _column(found: TreeAnswers, path: Path | None) -> Bits:
    return found.ends[:, found.paths.index(path)] if path in found.paths else np.zeros(len(found.asked), np.bool_)
