"""Training: from questions and embeddings to a model, with probabilities, cutoffs and honest metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier_ontology.tree import Ontology, Path

from ..contract import Classifier, Embeddings, EncoderSpec, FoldClassifier, Scores
from ..errors import BadSetting
from . import metrics
from .calibration import Calibration, cross_calibrate
from .cutoffs import best_f1, cross_answered
from .folds import Folds, deal, join_duplicates
from .head import Evidence, Head, untrained
from .linear import LinearClassifier
from .model import Model
from .questions import Question, fingerprint

NewClassifier = Callable[[str], Classifier]
"""From a plugin's name to an untrained classifier."""
PLUGIN = "linear"
_SMALL = 20_000_000  # numbers in the embeddings: 40,000 frames x 512


def new_linear(plugin: str) -> Classifier:
    """The classifier that is always there."""
    if plugin != PLUGIN:
        raise BadSetting(f"model_plugin={plugin!r}: only {PLUGIN!r} is at hand here")
    return LinearClassifier()


def train(
    ontology: Ontology,
    questions: Sequence[Question],
    embeddings_of: Callable[[Question], Embeddings],
    *,
    encoder: EncoderSpec,
    classifier: NewClassifier = new_linear,
    seed: int = 0,
    data_fingerprint: str = "",
    progress: Callable[[int, int, str], None] | None = None,
) -> Model:
    """One head per sibling set of the ontology; those that nothing can be learned of yet say why.

    embeddings_of gives float32 (n, encoder.dim), one row per row of the question. A classification's `model_plugin`
    attribute names its classifier. Equal input and seed give an equal model. progress gets done, total and a name.
    """
    asked = {question.key: question for question in questions}
    heads = {}
    sets = [(classification, siblings) for classification in ontology for siblings in classification.siblings()]
    for done, (classification, siblings) in enumerate(sets):
        if progress is not None:
            progress(done, len(sets), classification.name)
        key = (classification.name, siblings.parent)
        if key in asked:
            plugin = classification.settings.get("model_plugin", PLUGIN)
            heads[key] = _head(asked[key], embeddings_of, plugin, classifier, seed)
        else:
            counts = dict.fromkeys(siblings.options, 0)
            where = f" below {' / '.join(siblings.parent)!r}" if siblings.parent else ""
            reason = f"nothing is answered{where} yet; answer at least 2 different options"
            heads[key] = untrained(classification.name, siblings.parent, classification.exclusive, counts, reason)
    if progress is not None:
        progress(len(sets), len(sets), "")
    return Model(ontology.fingerprint, data_fingerprint or fingerprint(questions), encoder, seed, heads)


def _head(
    question: Question,
    embeddings_of: Callable[[Question], Embeddings],
    plugin: str,
    classifier: NewClassifier,
    seed: int,
) -> Head:
    counts = question.counts()
    held = {option: yes for option, yes, _ in counts}
    usable = np.array([yes > 0 and (question.exclusive or no > 0) for _, yes, no in counts], np.bool_)
    reason = _too_little(counts, usable, question.exclusive)
    if reason:
        return untrained(question.classification, question.parent, question.exclusive, held, reason)
    notes = _without(counts, usable)
    question = question.columns(usable)
    question = question.rows(question.mask.any(axis=1))
    embeddings = np.ascontiguousarray(embeddings_of(question), np.float32)
    if len(embeddings) != len(question):
        raise ValueError(f"{len(question)} rows of {question.classification!r} got {len(embeddings)} embeddings")
    # On a busy machine a team of threads waits for its slowest at every step: one thread took 0.3 s where two took 60.
    with threadpool_limits(limits=1 if embeddings.size < _SMALL else None, user_api="blas"):
        return _learned(question, embeddings, plugin, classifier(plugin), held, notes, seed)


def _learned(
    question: Question,
    embeddings: Embeddings,
    plugin: str,
    classifier: Classifier,
    held: Mapping[Path, int],
    notes: list[str],
    seed: int,
) -> Head:
    """Fitted, cross-checked, calibrated and measured."""
    question = replace(question, groups=join_duplicates(embeddings, question.groups, seed=seed))
    folds = deal(question.targets, question.mask, question.groups, seed=seed)
    raw = _cross_fit(classifier, embeddings, question, folds, seed)
    counted = _judgeable(question, folds)
    head = Head(
        question.classification,
        question.parent,
        question.options,
        question.exclusive,
        plugin,
        classifier,
        Calibration.of(raw, question.targets, counted, exclusive=question.exclusive),
        np.zeros(0),
        held,
    )
    if folds.note:
        notes.append(folds.note)
    judged = {question.options[i] for i in np.flatnonzero(np.asarray((counted & (question.targets > 0.5)).any(axis=0)))}
    unjudged = [" / ".join(option) for option in question.options if option not in judged]
    if unjudged:
        notes.append(f"too few answers to measure {', '.join(unjudged)}; label at least 2 media with each")
    return _measured(head, question, raw, counted, folds, tuple(notes))


def _cross_fit(classifier: Classifier, embeddings: Embeddings, question: Question, folds: Folds, seed: int) -> Scores:
    """Fits the classifier on every row, and returns each row's scores by one that has not seen its fold."""
    targets, mask, groups, exclusive = question.targets, question.mask, question.groups, question.exclusive
    if isinstance(classifier, FoldClassifier) and getattr(classifier, "folds", True):
        return classifier.cross_fit(embeddings, targets, mask, groups, folds=folds.rows, exclusive=exclusive, seed=seed)
    scores = np.zeros(targets.shape, np.float32)
    for fold in range(folds.count):
        inside = folds.rows == fold
        outside = ~inside if folds.count > 1 else inside
        classifier.fit(
            embeddings[outside], targets[outside], mask[outside], groups[outside], exclusive=exclusive, seed=seed
        )
        scores[inside] = classifier.predict(embeddings[inside])
    classifier.fit(embeddings, targets, mask, groups, exclusive=exclusive, seed=seed)
    return scores


def _judgeable(question: Question, folds: Folds) -> NDArray[np.bool_]:
    """The cells that a cross-check says something about: those of options that were there to learn in every fold."""
    holds = question.mask & (question.targets > 0.5)
    spread = np.array([len(np.unique(folds.rows[column])) > 1 for column in holds.T], np.bool_)
    if not question.exclusive:
        return np.asarray(question.mask & spread)
    return np.asarray(question.mask & (holds & spread).any(axis=1, keepdims=True) & (spread.sum() > 1))


def _measured(
    head: Head, question: Question, raw: Scores, counted: NDArray[np.bool_], folds: Folds, notes: tuple[str, ...]
) -> Head:
    exclusive, targets = question.exclusive, question.targets
    calibrated = cross_calibrate(raw, targets, counted, folds.rows, exclusive=exclusive)
    answered = cross_answered(calibrated, targets, counted, folds.rows, exclusive=exclusive)
    measured = metrics.measure(calibrated, answered, targets, counted, exclusive=exclusive)
    if counted.any():
        measured["ece_uncalibrated"] = metrics.calibration_error(raw, targets, counted, exclusive=exclusive)
        measured["log_loss_uncalibrated"] = metrics.log_loss(raw, targets, counted, exclusive=exclusive)
    return replace(
        head,
        cutoffs=best_f1(head.calibration(raw), targets, counted, exclusive=exclusive),
        metrics=measured,
        per_option=dict(
            zip(question.options, metrics.per_option(answered, targets, counted), strict=True),
        ),
        notes=notes,
        evidence=Evidence(
            question.media, question.frames, folds.rows, targets, question.mask, calibrated, answered, counted
        ),
    )


def _too_little(counts: list[tuple[Path, int, int]], usable: NDArray[np.bool_], exclusive: bool) -> str:
    """Why nothing can be learned, or an empty string."""
    if usable.sum() >= (2 if exclusive else 1):
        return ""
    seen = ", ".join(f"{' / '.join(option)!r} ({yes})" for option, yes, _ in counts if yes) or "none"
    if exclusive:
        return f"needs at least 2 options answered; has only {seen}"
    return f"needs frames on which an option does not hold; wherever it is answered, the same options hold: {seen}"


def _without(counts: list[tuple[Path, int, int]], usable: NDArray[np.bool_]) -> list[str]:
    """What is said of the options that are left out."""
    never = [" / ".join(option) for (option, yes, _), used in zip(counts, usable, strict=True) if not used and not yes]
    always = [" / ".join(option) for (option, yes, _), used in zip(counts, usable, strict=True) if not used and yes]
    notes = []
    if never:
        notes.append(f"never answered yet, so never predicted: {', '.join(never)}")
    if always:
        notes.append(f"no frame yet on which it does not hold, so never predicted: {', '.join(always)}")
    return notes
