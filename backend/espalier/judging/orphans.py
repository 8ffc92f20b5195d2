"""Orphans: answers that would leave without their parent, or against another rule. There must be none."""

from __future__ import annotations

import numpy as np

from espalier_ontology import rules
from espalier_ontology.tree import Ontology

from ..learning.decide import answers_for
from ..learning.decision import Decision
from ..learning.model import Model

SAMPLE = 64
"""Media that are looked at."""


def orphans(ontology: Ontology, model: Model, *, seed: int = 0) -> list[str]:
    """What is wrong with the answers to a sample of the media that the model was judged on, one sentence each.

    They go the way of every prediction, from scores of frames that the classifiers had not seen.
    """
    media, numbers = np.unique(model.rows.media, return_inverse=True)
    evidence = {key: head.evidence.scores for key, head in model.heads.items() if head.evidence is not None}
    found = []
    for chosen in np.random.default_rng(seed).permutation(len(media))[:SAMPLE]:
        rows = np.flatnonzero(numbers == chosen)
        rows = rows[np.argsort(model.rows.frames[rows])]
        frames = model.rows.frames[rows]
        length = int(frames.max()) + 1
        answers = answers_for(
            ontology,
            model,
            {key: scores[rows] for key, scores in evidence.items()},
            frames,
            length=length,
            parameters=Decision(),
            source="candidate",
        )
        found += [
            f"{violation.answer.classification}: {violation.reason}" for violation in rules.check(ontology, answers)
        ]
    return found
