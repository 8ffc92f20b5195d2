"""The direction of an option: where an embedding would have to move for the option to become more likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Classifier, Embeddings, Scores
from .head import Head
from .linear import LinearClassifier

_STEP = np.float32(1e-2)
_LEAST = 1e-30


def direction(head: Head, option: Path, embedding: Embeddings) -> NDArray[np.float32]:
    """float32 (dim,), of any norm; of norm 0 where the option's score does not depend on the embedding.

    embedding float32 (1, dim). Of a linear classifier it is the option's row, among exclusive options less the mean of
    the others; of any other one the slope of the option's log-odds at this embedding.
    """
    assert head.classifier is not None
    column = head.options.index(option)
    inner: Classifier = getattr(head.classifier, "classifier", head.classifier)
    if isinstance(inner, LinearClassifier) and inner.kernel is None:
        rows = inner.coefficients
        if not head.exclusive or len(rows) < 2:
            return np.asarray(rows[column])
        return np.asarray(rows[column] - np.delete(rows, column, axis=0).mean(axis=0), np.float32)
    return _slope(head.classifier, column, embedding[0], exclusive=head.exclusive)


def log_odds(scores: Scores, column: int, *, exclusive: bool) -> NDArray[np.float64]:
    """Of one option, float64 (n,); against all others where options are exclusive, which keeps small scores exact."""
    score = scores[:, column].astype(np.float64)
    rest = np.delete(scores, column, axis=1).sum(axis=1, dtype=np.float64) if exclusive else 1.0 - score
    return np.asarray(np.log(np.maximum(score, _LEAST)) - np.log(np.maximum(rest, _LEAST)))


def _slope(classifier: Classifier, column: int, row: NDArray[np.float32], *, exclusive: bool) -> NDArray[np.float32]:
    """By a small step along each dimension, forth and back."""
    steps = np.eye(len(row), dtype=np.float32) * _STEP
    forth, back = (log_odds(classifier.predict(row + side), column, exclusive=exclusive) for side in (steps, -steps))
    return np.asarray((forth - back) / (2 * _STEP), np.float32)
