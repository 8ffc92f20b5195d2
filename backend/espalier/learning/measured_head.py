"""A measured head: from how a classifier scores rows, some of which it has not seen, to probabilities and cutoffs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Classifier, Mask, Scores, Targets
from . import metrics
from .calibration import Calibration, cross_calibrate
from .cutoffs import answered, best_f1, cross_answered
from .head import Evidence, Head, Steps
from .live import known_scores, lives
from .rows import Rows


@dataclass(frozen=True)
class Scored:
    """One question's classifier with its scores. Arrays have a row per row of the model, and a column per option; where
    there is a background, one column more.

    raw float32: by a classifier that had not seen the row's group, and fitted float32: by one that learned from the
    training rows; neither is calibrated. counted bool: cells that raw scores can be judged by.
    """

    classification: str
    parent: Path
    options: tuple[Path, ...]
    exclusive: bool
    background: bool
    plugin: str
    classifier: Classifier
    targets: Targets
    mask: Mask
    raw: Scores
    fitted: Scores
    counted: NDArray[np.bool_]


def measured_head(
    scored: Scored, rows: Rows, counts: Mapping[Path, int], notes: list[str], *, steps: Steps | None = None
) -> Head:
    """Calibrated, with cutoffs, evidence and figures. What is measured on a fold was chosen on the others."""
    exclusive, k = scored.exclusive, len(scored.options)
    raw, targets, counted = scored.raw, scored.targets, scored.counted
    dev = rows.folds >= 0
    calibration = Calibration.of(raw[dev], targets[dev], counted[dev], exclusive=exclusive)
    scores = calibration(raw).copy()
    scores[dev] = cross_calibrate(raw[dev], targets[dev], counted[dev], rows.folds[dev], exclusive=exclusive)

    def told(calibrated: Scores) -> Scores:
        return known_scores(calibrated, k) if lives(scored.classifier) else calibrated[:, :k]

    evidence = Evidence(
        targets=targets[:, :k],
        mask=scored.mask[:, :k],
        raw=raw[:, :k],
        scores=told(scores),
        fitted=told(calibration(scored.fitted)),
        answered=np.zeros((len(rows), k), np.bool_),
        counted=counted[:, :k],
    )
    cutoffs = best_f1(told(calibration(raw)[dev]), evidence.targets[dev], evidence.counted[dev], exclusive=exclusive)
    unseen = answered(evidence.scores, cutoffs, exclusive=exclusive)
    unseen[dev] = cross_answered(
        evidence.scores[dev], evidence.targets[dev], evidence.counted[dev], rows.folds[dev], exclusive=exclusive
    )
    evidence = replace(evidence, answered=unseen)
    parameters: dict[str, Any] = dict(getattr(scored.classifier, "parameters", None) or {})
    head = Head(
        scored.classification,
        scored.parent,
        scored.options,
        exclusive,
        scored.plugin,
        scored.classifier,
        calibration,
        cutoffs,
        counts,
        evidence=evidence,
        steps=steps,
        background=scored.background,
        parameters=parameters,
    )
    return _with_figures(head, evidence, rows, [*notes, *_unjudged(head, evidence)])


def _with_figures(head: Head, evidence: Evidence, rows: Rows, notes: list[str]) -> Head:
    """With the figures of the cross-check, and of what was not calibrated."""
    dev = rows.folds >= 0
    targets, counted, exclusive = evidence.targets[dev], evidence.counted[dev], head.exclusive
    measured = metrics.measure(evidence.scores[dev], evidence.answered[dev], targets, counted, exclusive=exclusive)
    if counted.any():
        raw = evidence.raw[dev]
        measured["ece_uncalibrated"] = metrics.calibration_error(raw, targets, counted, exclusive=exclusive)
        measured["log_loss_uncalibrated"] = metrics.log_loss(raw, targets, counted, exclusive=exclusive)
    per_option = metrics.per_option(evidence.answered[dev], targets, counted)
    return replace(
        head, metrics=measured, per_option=dict(zip(head.options, per_option, strict=True)), notes=tuple(notes)
    )


def _unjudged(head: Head, evidence: Evidence) -> list[str]:
    judged = (evidence.counted & (evidence.targets > 0.5)).any(axis=0)
    unjudged = [" / ".join(head.options[i]) for i in np.flatnonzero(~np.asarray(judged))]
    return [f"too few answers to measure {', '.join(unjudged)}; label at least 2 media with each"] if unjudged else []
