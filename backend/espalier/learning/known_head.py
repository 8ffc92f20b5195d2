"""A head that no label is needed for: options that a pretrained network knows by name.

Labels, where there are some, calibrate it and choose its cutoffs. Where a classifier can be trained on them as well,
the one that answers more of them rightly is taken, each of them judged on frames it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path, Siblings

from ..contract import Classifier, Embeddings, Scores
from .calibration import Calibration
from .fitting import Learned
from .head import Evidence, Head, untrained
from .measured_head import Scored, measured_head
from .rows import Rows

CUTOFF = 0.5
"""Where no label says better."""


@dataclass(frozen=True)
class Known:
    """What a pretrained network knows of one question.

    options: those it knows, in the order of the classifier's columns; exclusive ones have a column more, for everything
    else. notes: in words, what it takes for what. reason: why it knows none. alone: no other classifier is wanted.
    scores: for one that is asked about tasks and not about embeddings: from the model's rows to what it says of them,
    float32 (n, columns), and of which rows it could be asked, bool (n,).
    """

    plugin: str
    options: tuple[Path, ...]
    classifier: Classifier | None
    notes: tuple[str, ...] = ()
    reason: str = ""
    alone: bool = False
    scores: Callable[[Rows], tuple[Scores, NDArray[np.bool_]]] | None = None


def known_head(
    known: Known,
    classification: str,
    siblings: Siblings,
    learned: Learned | None,
    rows: Rows,
    embeddings: Embeddings,
    *,
    exclusive: bool,
) -> Head:
    """rows, embeddings: the model's; learned: what is labeled of this question, if anything."""
    counts = dict.fromkeys(siblings.options, 0)
    if learned is not None:
        counts.update({option: yes for option, yes, _ in learned.question.counts()})
    if known.classifier is None or not known.options:
        return untrained(classification, siblings.parent, exclusive, counts, known.reason)
    k, shape = len(known.options), (len(rows), len(known.options) + exclusive)
    scores: Scores = np.zeros(shape, np.float32)
    asked: NDArray[np.bool_] = np.ones(len(rows), np.bool_)
    if known.scores is not None:
        scores, asked = known.scores(rows) if len(rows) else (scores, asked)
    elif len(rows):
        scores = known.classifier.predict(embeddings)
    targets, mask = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
    if learned is not None:
        question = learned.question
        columns = [question.options.index(option) for option in known.options]
        at = learned.at
        targets[at, :k], mask[at, :k] = question.targets[:, columns], question.mask[:, columns]
        if exclusive:
            mask[at, k] = question.mask.all(axis=1)
            targets[at, k] = mask[at, k] & ~question.holds[:, columns].any(axis=1)
        mask &= asked[:, None]
    if not mask.any():
        none = np.zeros((len(rows), k), np.bool_)
        own = "the network's own" if known.scores is None else "its own"
        evidence = Evidence(targets[:, :k], none, scores[:, :k], scores[:, :k], scores[:, :k], none, none)
        return Head(
            classification,
            siblings.parent,
            known.options,
            exclusive,
            known.plugin,
            known.classifier,
            Calibration.identity(k + exclusive, exclusive=exclusive),
            np.full(k, CUTOFF),
            counts,
            notes=(*known.notes, f"no label yet, so confidences are {own}, and cutoffs are a half"),
            evidence=evidence,
            background=exclusive,
            parameters=dict(getattr(known.classifier, "parameters", None) or {}),
        )
    assert learned is not None
    scored = Scored(
        classification,
        siblings.parent,
        known.options,
        exclusive,
        exclusive,
        known.plugin,
        known.classifier,
        targets,
        mask,
        scores,
        scores,
        mask & ~learned.seen[:, None],
    )
    return measured_head(scored, rows, counts, list(known.notes))


def better(trained: Head, known: Head, learned: Learned) -> Head:
    """The one with more right answers to what people said, by F1 over the question's options; labels win a draw."""
    if not known.trained:
        return trained
    if not trained.trained:
        return known
    reached, knew = _f1(trained, learned), _f1(known, learned)
    return trained if reached > 0 and reached >= knew else known


def _f1(head: Head, learned: Learned) -> float:
    """On rows for training and choosing, of the options that it does not know as well."""
    assert head.evidence is not None
    dev = learned.rows.folds >= 0
    holds = head.evidence.mask & (head.evidence.targets > 0.5)
    answers = head.evidence.answered & head.evidence.mask
    support = int(learned.question.holds[dev[learned.at]].sum())
    given, right = int(answers[dev].sum()), int((answers & holds)[dev].sum())
    return 2 * right / max(1, given + support)
