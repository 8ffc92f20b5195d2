"""Class weights: how much each answer counts while a classifier is fitted."""

from __future__ import annotations

import numpy as np

from ..contract import Mask, Targets, Weights
from .questions import Question
from .training_parameters import TrainingParameters


def class_weights(question: Question, targets: Targets, mask: Mask, parameters: TrainingParameters) -> Weights | None:
    """float32 (n, k), or None where everything counts alike; the mean over what is said stays the rows' own.

    targets and mask (n, k) are the question's, with a column for background behind the options if it has one.
    `balanced` counts options (or, where they do not exclude each other, yes against no) by the inverse of how often
    they hold, as scikit-learn's `class_weight="balanced"` does.
    """
    by_hand = {
        option: weight
        for name, weight in parameters.class_weights.items()
        for option in question.options
        if name in (f"{question.classification}/{' / '.join(option)}", f"{question.classification}/{'/'.join(option)}")
        or name == f"{question.classification}/{option[-1]}"
    }
    balanced = parameters.class_weight == "balanced"
    if not balanced and not by_hand and np.all(question.weights == 1):
        return None
    yes, no = np.ones(targets.shape[1]), np.ones(targets.shape[1])
    holds = mask & (targets > 0.5)
    if balanced:
        positives, said = holds.sum(axis=0), mask.sum(axis=0)
        if question.exclusive:
            yes = holds.any(axis=1).sum() / np.maximum(1, positives * (positives > 0).sum())
            no = yes
        else:
            yes, no = said / np.maximum(1, 2 * positives), said / np.maximum(1, 2 * (said - positives))
    for option, weight in by_hand.items():
        yes[question.options.index(option)] *= weight
    cells = np.where(holds, yes, no) * question.weights[:, None]
    return np.asarray(cells, np.float32)
