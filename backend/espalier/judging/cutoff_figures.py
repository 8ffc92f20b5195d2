"""Cutoff figures: what each option's cutoff does, counted on stored scores of frames that the model had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..learning.cutoffs import Cutoffs, answered
from ..learning.model import Model
from ..learning.questions import Key


def cutoff_figures(model: Model, cutoffs: Mapping[Key, Cutoffs]) -> list[dict[str, Any]]:
    """Plain JSON, one entry for each option of the heads that have cutoffs, in their order.

    classification, option (a path), cutoff; answers, right, holds (frames that people answered so), precision and
    recall (None where nothing is counted), and coverage: of the frames that were asked about, those that are given this
    option. All rows count that can be judged, whatever their part: `coverage_table` says what to expect of new ones.
    """
    found: list[dict[str, Any]] = []
    for key, head in model.heads.items():
        evidence = head.evidence
        if key not in cutoffs or evidence is None:
            continue
        given = answered(evidence.scores, cutoffs[key], exclusive=head.exclusive) & evidence.counted
        holds = evidence.counted & (evidence.targets > 0.5)
        frames = int(evidence.counted.any(axis=1).sum())
        for column, path in enumerate(head.options):
            answers, held = int(given[:, column].sum()), int(holds[:, column].sum())
            right = int((given & holds)[:, column].sum())
            found.append(
                {
                    "classification": head.classification,
                    "option": list(path),
                    "cutoff": float(cutoffs[key][column]),
                    "answers": answers,
                    "right": right,
                    "holds": held,
                    "precision": right / answers if answers else None,
                    "recall": right / held if held else None,
                    "coverage": answers / frames if frames else 0.0,
                }
            )
    return found
