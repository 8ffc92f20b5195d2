"""How likely it is that a question is asked at all: that its parents hold, as the model sees it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Condition, Ontology, Path

from ..contract import Scores
from ..learning.model import Model
from ..learning.questions import Key

Likely = NDArray[np.float32]


def likely(ontology: Ontology, model: Model, scores: Mapping[Key, Scores], key: Key) -> Likely | None:
    """float32 (n,) in [0, 1] for scores (n, k) of every trained head; None for a question that is always asked.

    Several options that open a question exclude each other or do not; the likeliest of them counts. A parent that was
    never learned says nothing.
    """
    name, parent = key
    found = _asked(ontology, model, scores, name)
    if parent:
        own = _path(model, scores, name, parent)
        found = own if found is None or own is None else found * own
    return found


def _asked(ontology: Ontology, model: Model, scores: Mapping[Key, Scores], name: str) -> Likely | None:
    found: Likely | None = None
    for condition in ontology.classification(name).conditions:
        one = _met(ontology, model, scores, condition)
        if one is not None:
            found = one if found is None else found * one
    return found


def _met(ontology: Ontology, model: Model, scores: Mapping[Key, Scores], condition: Condition) -> Likely | None:
    best: Likely | None = None
    for parent in condition.names:
        above = _asked(ontology, model, scores, parent)
        options = condition.options or {option.path for option in ontology.classification(parent).options}
        for option in sorted(options):
            one = _path(model, scores, parent, option)
            if one is not None:
                one = one if above is None else one * above
                best = one if best is None else np.maximum(best, one)
    return 1.0 - best if best is not None and condition.negated else best


def _path(model: Model, scores: Mapping[Key, Scores], name: str, path: Path) -> Likely | None:
    """The product along a path; 0 where an option of it was never seen, None where the question is not learned."""
    found: Likely | None = None
    for depth in range(1, len(path) + 1):
        key = (name, path[: depth - 1])
        if key not in scores:
            continue
        options = model.heads[key].options
        own = scores[key][:, options.index(path[:depth])] if path[:depth] in options else np.zeros(len(scores[key]))
        found = own.astype(np.float32) if found is None else found * own.astype(np.float32)
    return found
