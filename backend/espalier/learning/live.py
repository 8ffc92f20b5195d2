"""What it is for a classifier to live, and what it means when it knows nothing of a frame."""

from __future__ import annotations

import numpy as np

from ..contract import Classifier, LiveClassifier, Scores


def lives(classifier: Classifier | None) -> bool:
    """Whether it learns and forgets single examples."""
    return isinstance(classifier, LiveClassifier) and bool(getattr(classifier, "lives", True))


def known_scores(scores: Scores, options: int) -> Scores:
    """float32 (n, k), k = options, of a classifier that lives; scores (n, k) or, with a column for none, (n, k + 1).

    Where "like none of them" is as likely as the likeliest option, no option scores anything: nothing is said rather
    than something wrong.
    """
    told = scores[:, :options]
    if scores.shape[1] == options or not options:
        return told
    unknown = scores[:, options] >= told.max(axis=1)
    return np.asarray(np.where(unknown[:, None], np.float32(0), told), np.float32)
