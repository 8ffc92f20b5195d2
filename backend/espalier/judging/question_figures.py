"""Question figures: everything that is measured of one question on one part of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..learning import metrics
from ..learning.metrics import Bits, Numbers
from . import bootstrap, confusion
from .curves import Ranked, reliability, stacked
from .judged import Judged

Figures = dict[str, Any]
Arrays = dict[str, NDArray[np.generic]]


def question_figures(
    one: Judged, options: Sequence[Path], *, exclusive: bool, resamples: int, seed: int
) -> tuple[Figures, Arrays]:
    """Plain JSON values, and arrays by name; `evaluation.evaluate` says what they are."""
    said = one.said
    if not said.any():
        return {"rows": 0}, {}
    scores, targets, mask = one.scores[said], one.targets[said], one.mask[said]
    answers, holds = one.answers[said], one.holds[said]
    ranked = [Ranked.of(scores[mask[:, c], c], holds[mask[:, c], c]) for c in range(len(options))]
    matrix = confusion.matrix(answers, holds)
    right, given, support = metrics.counts(answers, holds)
    bounds = _bounds(one, exclusive=exclusive, resamples=resamples, seed=seed)
    aucs, precisions = [each.roc_auc() for each in ranked], [each.average_precision() for each in ranked]
    raw = None if one.raw is None else one.raw[said]
    sure, true = metrics.sureness(scores, targets, mask, exclusive=exclusive)
    wrong = (answers != holds) & mask
    figures: Figures = {
        "rows": len(scores),
        "accuracy": float(metrics.correct(scores, targets, mask, exclusive=exclusive).mean()),
        "top_3": metrics.top_k(scores, targets, mask, 3) if exclusive else None,
        "top_5": metrics.top_k(scores, targets, mask, 5) if exclusive else None,
        "subset_accuracy": float((~wrong.any(axis=1)).mean()),
        "hamming_loss": float(wrong[mask].mean()),
        "coverage": float(answers.any(axis=1).mean()),
        **averages(right, given, support),
        "roc_auc": _mean(aucs),
        "average_precision": _mean(precisions),
        "matthews": confusion.matthews(matrix if exclusive else confusion.pooled(answers, holds, mask)),
        "kappa": confusion.kappa(matrix if exclusive else confusion.pooled(answers, holds, mask)),
        "cross_entropy": metrics.log_loss(scores, targets, mask, exclusive=exclusive),
        "confidence": metrics.confidence(scores, targets, mask, exclusive=exclusive),
        "ece": metrics.calibration_error(scores, targets, mask, exclusive=exclusive),
        "brier": metrics.brier(scores, targets, mask, exclusive=exclusive),
        "uncalibrated": None
        if raw is None
        else {
            "cross_entropy": metrics.log_loss(raw, targets, mask, exclusive=exclusive),
            "confidence": metrics.confidence(raw, targets, mask, exclusive=exclusive),
            "ece": metrics.calibration_error(raw, targets, mask, exclusive=exclusive),
            "brier": metrics.brier(raw, targets, mask, exclusive=exclusive),
        },
        "intervals": {name: bounds[name] for name in ("accuracy", "subset_accuracy", "macro_f1")},
        "confusion": matrix.tolist(),
        "options": [
            {
                "path": list(path),
                "cutoff": float(one.cutoffs[c]),
                "positives": int(support[c]),
                "negatives": int(mask[:, c].sum() - support[c]),
                "answered": int(given[c]),
                "right": int(right[c]),
                "precision": float(right[c] / given[c]) if given[c] else None,
                "recall": float(right[c] / support[c]) if support[c] else None,
                "f1": float(2 * right[c] / (given[c] + support[c])) if given[c] + support[c] else None,
                "f1_interval": bounds["options"][c],
                "roc_auc": aucs[c],
                "average_precision": precisions[c],
                "matthews": confusion.matthews(
                    confusion.pooled(answers[:, c : c + 1], holds[:, c : c + 1], mask[:, c : c + 1])
                ),
                "confidence": float(scores[answers[:, c], c].astype(np.float64).mean()) if given[c] else None,
            }
            for c, path in enumerate(options)
        ],
    }
    together = Ranked.of(scores[mask], holds[mask])
    arrays: Arrays = {
        "precision_recall": stacked([each.precision_recall() for each in (*ranked, together)]),
        "roc": stacked([each.roc() for each in (*ranked, together)]),
        "reliability": np.stack(
            [
                *(
                    reliability(scores[mask[:, c], c].astype(np.float64), holds[mask[:, c], c])
                    for c in range(len(options))
                ),
                reliability(sure, true),
            ]
        ).astype(np.float32),
    }
    return figures, arrays


def averages(right: Numbers, given: Numbers, support: Numbers) -> Figures:
    """Precision, recall and F1: micro (over all answers), macro (mean over the options that hold anywhere) and weighted
    (by how often they hold). An option that was never answered has precision 0 there, as in scikit-learn."""
    present = support > 0
    each = {
        "precision": np.divide(right, given, out=np.zeros_like(right), where=given > 0),
        "recall": np.divide(right, support, out=np.zeros_like(right), where=present),
        "f1": metrics.f1_of(right, given, support),
    }
    some, total = bool(present.any()), float(support.sum())
    sums = float(right.sum()), float(given.sum()), total
    return {
        "micro_precision": sums[0] / sums[1] if sums[1] else None,
        "micro_recall": sums[0] / sums[2] if sums[2] else None,
        "micro_f1": 2 * sums[0] / (sums[1] + sums[2]) if sums[1] + sums[2] else None,
        **{f"macro_{name}": float(value[present].mean()) if some else None for name, value in each.items()},
        **{f"weighted_{name}": float(value @ support / total) if some else None for name, value in each.items()},
    }


def _bounds(one: Judged, *, exclusive: bool, resamples: int, seed: int) -> Figures:
    """95 % intervals of accuracy, subset_accuracy and macro_f1, and a list of each option's F1; groups are drawn, and
    where all of them were right (or all wrong), how many there are says how sure that is."""
    said = one.said
    mask, answers, holds = one.mask[said], one.answers[said], one.holds[said]
    k, groups = mask.shape[1], one.groups[said]
    if resamples < 1 or len(np.unique(groups)) < 2:
        return {"accuracy": None, "subset_accuracy": None, "macro_f1": None, "options": [None] * k}
    right = metrics.correct(one.scores[said], one.targets[said], mask, exclusive=exclusive).astype(np.float64)
    if exclusive:
        correct, counted = right, np.ones(len(mask))
    else:
        cells: Numbers = np.zeros(mask.shape)
        cells[mask] = right
        correct, counted = cells.sum(axis=1), mask.sum(axis=1).astype(np.float64)
    exact: Bits = ~((answers != holds) & mask).any(axis=1)
    columns: Numbers = np.column_stack(
        [correct, counted, exact, np.ones(len(mask)), answers & holds, answers, holds]
    ).astype(np.float64)
    sums = bootstrap.resampled(columns, groups, resamples=resamples, seed=seed)
    own, given, support = (sums[:, 4 + part * k : 4 + (part + 1) * k] for part in range(3))
    f1, present = metrics.f1_of(own, given, support), support > 0
    with np.errstate(invalid="ignore"):
        macro = (f1 * present).sum(axis=1) / present.sum(axis=1)
    together = np.column_stack([sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3], macro])
    found = bootstrap.intervals(together)
    total = columns.sum(axis=0)
    held = total[4 + 2 * k :] > 0
    each = metrics.f1_of(total[4 : 4 + k], total[4 + k : 4 + 2 * k], total[4 + 2 * k :])
    all_worth = bootstrap.worth_of(columns[:, 1], groups)
    concerned = (answers | holds).astype(np.float64)
    return {
        "accuracy": bootstrap.where_all_agree(found[0], total[0] / total[1] if total[1] else 0.0, all_worth),
        "subset_accuracy": bootstrap.where_all_agree(
            found[1], total[2] / total[3], bootstrap.worth_of(columns[:, 3], groups)
        ),
        "macro_f1": bootstrap.f1_where_all_agree(found[2], float(each[held].mean()) if held.any() else 0.0, all_worth),
        "options": [
            bootstrap.f1_where_all_agree(one, float(each[c]), bootstrap.worth_of(concerned[:, c], groups))
            for c, one in enumerate(bootstrap.intervals(np.where(given + support > 0, f1, np.nan)))
        ],
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
