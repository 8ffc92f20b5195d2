"""A head whose classifier lives: it is told examples and forgets them again, at any time, and is never fitted anew.

So it has a column for every option that may be answered, with examples or without, and for exclusive options one more,
the last: like none of them. It is there from the start, when it knows nothing and takes everything for nothing known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from espalier_ontology.tree import Path

from ..contract import Classifier, Embeddings, Mask, Scores, Targets
from .asked import Asked
from .calibration import Calibration
from .cutoffs import Cutoffs, starting_cutoff
from .head import Evidence, Head
from .questions import Question

FEW = 10
"""Frames on which a classifier can be judged, under which it is neither calibrated nor given cutoffs by them."""


def live_options(asked: Asked) -> tuple[Path, ...]:
    """Every option that a person lets be learned, whether or not it was ever answered."""
    return tuple(option for option, kept in zip(asked.options, asked.kept, strict=True) if kept)


def with_none(question: Question) -> tuple[Targets, Mask]:
    """Both (n, k + 1): the last column holds where none of the options does."""
    none = question.mask.all(axis=1) & ~question.holds.any(axis=1)
    targets = np.column_stack([question.targets, none]).astype(np.float32)
    return targets, np.column_stack([question.mask, question.mask.all(axis=1)])


def blank_head(asked: Asked, plugin: str, classifier: Classifier, embeddings: Embeddings, *, seed: int) -> Head:
    """The head of a question that nobody has answered. embeddings (n, d): the model's rows; it says nothing of them."""
    options = live_options(asked)
    exclusive = asked.exclusive is not False
    width = len(options) + exclusive
    none = np.zeros((0, width), np.float32)
    classifier.fit(embeddings[:0], none, none.astype(np.bool_), np.zeros(0, np.int64), exclusive=exclusive, seed=seed)
    shape = (len(embeddings), len(options))
    scores: Scores = np.zeros(shape, np.float32)
    nothing = np.zeros(shape, np.bool_)
    return Head(
        *asked.key,
        options,
        exclusive,
        plugin,
        classifier,
        Calibration.identity(width, exclusive=exclusive),
        np.full(len(options), starting_cutoff(len(options), exclusive=exclusive)),
        dict.fromkeys(asked.options, 0),
        notes=("nothing is answered yet: the first answer is used as soon as it is given",),
        evidence=Evidence(scores, nothing, scores, scores, scores, nothing, nothing),
        background=exclusive,
    )


def carried(
    head: Head | None, options: Sequence[Path], names: Mapping[Path, Path], *, exclusive: bool
) -> tuple[Calibration, Cutoffs]:
    """The calibration and the cutoffs of a trained head, for the options as they are now.

    names: by option of now, what it was called when the head was trained. An option that the head does not know has
    the starting cutoff, and is not calibrated; nothing is where the head decided otherwise whether they are exclusive.
    """
    width = len(options) + exclusive
    calibration, cutoffs = (
        Calibration.identity(width, exclusive=exclusive),
        np.full(len(options), starting_cutoff(len(options), exclusive=exclusive)),
    )
    if head is None or head.exclusive != exclusive:
        return calibration, cutoffs
    slopes, shifts = calibration.slopes, calibration.shifts
    if exclusive and len(head.calibration.slopes):
        slopes = np.full(width, head.calibration.slopes[0])  # one for all, whichever they are
    for column, option in enumerate(options):
        known = option if option in head.options else names.get(option)
        if known in head.options:
            place = head.options.index(known)
            cutoffs[column] = head.cutoffs[place]
            if not exclusive:
                slopes[column], shifts[column] = head.calibration.slopes[place], head.calibration.shifts[place]
    return Calibration(exclusive, slopes, shifts), cutoffs
