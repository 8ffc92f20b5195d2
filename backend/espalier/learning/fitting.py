"""Fitting one head: the classifier, scores of frames that it had not seen, calibration, cutoffs, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import (
    Classifier,
    Embeddings,
    FoldClassifier,
    Ids,
    Mask,
    Scores,
    SearchingClassifier,
    SteppedClassifier,
    Targets,
    Weights,
)
from .class_weights import class_weights
from .head import Head, Steps, untrained
from .live import lives
from .live_head import FEW, with_none
from .measured_head import Scored, measured_head
from .parts import TRAIN, VALIDATION
from .questions import Question
from .rows import Rows
from .training_parameters import TrainingParameters

_WATCHED = 384
"""Frames of training and of validation, each, whose scores are kept at every step of the learning."""


@dataclass(frozen=True)
class Learned:
    """A question with the rows of the model: at int64 (m,) says where the question's rows stand among them.

    seen bool (n,): rows that the encoder itself has learned from. They are learned from again, and judged by never.
    """

    question: Question
    at: Ids
    rows: Rows
    embeddings: Embeddings
    parameters: TrainingParameters
    seen: NDArray[np.bool_]

    def spread(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """The question's rows at their places among all rows, zero elsewhere."""
        whole = np.zeros((len(self.rows), *values.shape[1:]), values.dtype)
        whole[self.at] = values
        return whole


def fit_head(learned: Learned, plugin: str, new: Callable[[], Classifier], notes: tuple[str, ...]) -> Head:
    """The trained head of a question, or an untrained one that says why; a classifier that lives is always trained."""
    question = learned.question
    background = question.background
    counts = question.counts()
    held = {option: yes for option, yes, _ in counts}
    classifier = new()
    if lives(classifier):
        never = [" / ".join(option) for option, yes, _ in counts if not yes]
        said = [f"no example yet of {', '.join(never)}"] if never else []
        return _fit(learned, plugin, classifier, new, question.exclusive, held, [*said, *notes])
    usable = np.array([yes > 0 and (question.exclusive or no > 0) for _, yes, no in counts], np.bool_)
    reason = too_little(counts, usable, question.exclusive and not background)
    if reason:
        return untrained(question.classification, question.parent, question.exclusive, held, reason)
    said = [*never_learned(counts, usable), *notes]
    question = question.columns(usable)
    some = question.mask.any(axis=1)
    learned = replace(learned, question=question.rows(some), at=learned.at[some])
    return _fit(learned, plugin, classifier, new, background, held, said)


def _fit(
    learned: Learned,
    plugin: str,
    classifier: Classifier,
    new: Callable[[], Classifier],
    background: bool,
    held: Mapping[Path, int],
    notes: list[str],
) -> Head:
    """Fitted, cross-checked, calibrated and measured."""
    question = learned.question
    known = _Known.of(learned, background)
    if not learned.parameters.search and isinstance(classifier, SearchingClassifier):
        classifier.use({})
    living = lives(classifier)
    counted = _judgeable(question, known, learned.rows) & ~learned.seen[:, None]
    if living and int(counted[learned.rows.folds >= 0].any(axis=1).sum()) < FEW:
        counted = np.zeros_like(counted)
        notes = [
            *notes,
            "few answers: confidences are the classifier's own, and cutoffs are barely better than guessing",
        ]
        raw = fitted = _fit_alone(classifier, known, learned)
    else:
        raw, fitted = _cross_fit(classifier, known, learned)
    scored = Scored(
        question.classification,
        question.parent,
        question.options,
        question.exclusive,
        background,
        plugin,
        classifier,
        known.targets,
        known.mask,
        raw,
        fitted,
        counted,
    )
    return measured_head(scored, learned.rows, held, notes, steps=_steps(new(), classifier, known, learned))


@dataclass(frozen=True)
class _Known:
    """What is known of every row of the model, each (n, k), and (n, k + 1) where there is a background."""

    targets: Targets
    mask: Mask
    weights: Weights | None

    @classmethod
    def of(cls, learned: Learned, background: bool) -> _Known:
        question = learned.question
        targets, mask = question.targets, question.mask
        if background:
            targets, mask = with_none(question)
        weights = class_weights(question, targets, mask, learned.parameters)
        return cls(
            np.asarray(learned.spread(targets), np.float32),
            np.asarray(learned.spread(mask), np.bool_),
            None if weights is None else np.asarray(learned.spread(weights), np.float32),
        )

    def weights_of(self, rows: NDArray[np.bool_]) -> Weights | None:
        return None if self.weights is None else self.weights[rows]


def _cross_fit(classifier: Classifier, known: _Known, learned: Learned) -> tuple[Scores, Scores]:
    """Leaves the classifier fitted on every row. Returns, for each row, the scores by one that had not seen its group,
    and those by one that was fitted on training and validation rows."""
    rows, embeddings = learned.rows, learned.embeddings
    exclusive, seed = learned.question.exclusive, learned.parameters.seed

    def fit(chosen: NDArray[np.bool_]) -> None:
        _fit_some(classifier, known, learned, chosen)

    dev = rows.folds >= 0
    scores = np.zeros(known.targets.shape, np.float32)
    if isinstance(classifier, FoldClassifier) and getattr(classifier, "folds", True):
        scores[dev] = classifier.cross_fit(
            embeddings[dev],
            known.targets[dev],
            known.mask[dev],
            rows.groups[dev],
            folds=rows.folds[dev],
            exclusive=exclusive,
            seed=seed,
            weights=known.weights_of(dev),
        )
    else:
        folds = np.unique(rows.folds[dev])
        for fold in folds:
            inside = rows.folds == fold
            fit(dev & ~inside if len(folds) > 1 else inside)
            scores[inside] = classifier.predict(embeddings[inside])
        fit(dev)
    fitted = classifier.predict(embeddings)
    scores[~dev] = fitted[~dev]
    if not dev.all() or lives(classifier):  # what lives goes by the numbers of exactly these rows
        fit(np.ones(len(dev), np.bool_))
    return scores, fitted


def _fit_alone(classifier: Classifier, known: _Known, learned: Learned) -> Scores:
    """Fitted on every row that says something; the scores of all rows."""
    _fit_some(classifier, known, learned, np.ones(len(learned.rows), np.bool_))
    return classifier.predict(learned.embeddings)


def _fit_some(classifier: Classifier, known: _Known, learned: Learned, chosen: NDArray[np.bool_]) -> None:
    at = chosen & known.mask.any(axis=1)
    classifier.fit(
        learned.embeddings[at],
        known.targets[at],
        known.mask[at],
        learned.rows.groups[at],
        exclusive=learned.question.exclusive,
        seed=learned.parameters.seed,
        weights=known.weights_of(at),
    )


def _judgeable(question: Question, known: _Known, rows: Rows) -> NDArray[np.bool_]:
    """The cells that unseen scores say something about: those of options that were there to learn without the fold."""
    holds = known.mask & (known.targets > 0.5)
    spread = np.array([len(np.unique(rows.folds[column & (rows.folds >= 0)])) > 1 for column in holds.T], np.bool_)
    if not question.exclusive:
        return np.asarray(known.mask & spread)
    return np.asarray(known.mask & (holds & spread).any(axis=1, keepdims=True) & (spread.sum() > 1))


def _steps(classifier: Classifier, chosen: Classifier, known: _Known, learned: Learned) -> Steps | None:
    """A classifier watched while it learns from the training rows, by the parameters that the other one has chosen.

    None where it cannot be watched.
    """
    if not isinstance(classifier, SteppedClassifier):
        return None
    if isinstance(classifier, SearchingClassifier) and isinstance(chosen, SearchingClassifier):
        classifier.use(chosen.parameters)
    rows, rng = learned.rows, np.random.default_rng(learned.parameters.seed)
    said = known.mask.any(axis=1)
    train = (rows.parts == TRAIN) & said
    watched = np.concatenate([_some(np.flatnonzero((rows.parts == part) & said), rng) for part in (TRAIN, VALIDATION)])
    if not train.any():
        return None
    steps = list(
        classifier.fit_steps(
            learned.embeddings[train],
            known.targets[train],
            known.mask[train],
            rows.groups[train],
            learned.embeddings[watched],
            exclusive=learned.question.exclusive,
            seed=learned.parameters.seed,
            weights=known.weights_of(train),
        )
    )
    if not steps:
        return None
    scores = np.stack([scores[:, : len(learned.question.options)] for _, scores in steps])
    return Steps(np.array([number for number, _ in steps], np.int64), watched, scores)


def _some(rows: Ids, rng: np.random.Generator) -> Ids:
    return rows if len(rows) <= _WATCHED else np.sort(rng.choice(rows, _WATCHED, replace=False))


def too_little(counts: list[tuple[Path, int, int]], usable: NDArray[np.bool_], exclusive: bool) -> str:
    """Why nothing can be learned, or an empty string."""
    if usable.sum() >= (2 if exclusive else 1):
        return ""
    seen = ", ".join(f"{' / '.join(option)!r} ({yes})" for option, yes, _ in counts if yes) or "none"
    if exclusive:
        return f"needs at least 2 options answered; has only {seen}"
    return f"needs frames on which an option does not hold; wherever it is answered, the same options hold: {seen}"


def never_learned(counts: list[tuple[Path, int, int]], usable: NDArray[np.bool_]) -> list[str]:
    """What is said of the options that are left out."""
    never = [" / ".join(option) for (option, yes, _), used in zip(counts, usable, strict=True) if not used and not yes]
    always = [" / ".join(option) for (option, yes, _), used in zip(counts, usable, strict=True) if not used and yes]
    notes = []
    if never:
        notes.append(f"never answered yet, so never predicted: {', '.join(never)}")
    if always:
        notes.append(f"no frame yet on which it does not hold, so never predicted: {', '.join(always)}")
    return notes
