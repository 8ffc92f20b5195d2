"""Answers that the served model doubts, where the ontology changed: the ones worth another look first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from espalier_ontology.answers import Answer
from espalier_ontology.diff import Change
from espalier_ontology.label_mapping import is_below

from ..learning.model import Model
from ..learning.questions import Key
from ..store.rows import ModelVersion, Project, Revisit
from .examples import gather
from .house import House
from .label_mappings import readings
from .reading import unopened

_DOUBT = 0.5
"""How far the score of a model that had not seen the answer is from it: over this, it would have answered otherwise."""


def put_doubted(
    house: House, project: Project, version: ModelVersion, changes: Sequence[Change], most: int = 100
) -> int:
    """Puts on the revisit list the answers that these changes ask another look for and that the version doubts.

    The least believed come first, and at most `most` media; returns how many answers are new on the list. Media are
    opened to know which tasks they belong to.
    """
    model = house.model(Path(version.directory))
    doubts: dict[tuple[str, str], tuple[float, Change]] = {}
    for change in changes:
        if change.answers == "need another look":
            for key in _keys(model, change):
                for media, doubt in _by_media(model, key).items():
                    place = (change.classification, media)
                    if doubt > doubts.get(place, (_DOUBT, change))[0]:
                        doubts[place] = (doubt, change)
    worst = sorted(doubts, key=lambda place: (-doubts[place][0], place))[:most]
    if not worst:
        return 0
    known = {_key(entry) for entry in house.records.revisits(project.key)}
    examples = gather(house, project)
    reader = readings(house, project, examples.ontology)
    now = datetime.now(timezone.utc)
    entries = [
        Revisit(
            project_key=project.key,
            task_id=task_id,
            annotation_id=annotation.id,
            classification=answer.classification,
            option=answer.option,
            reason=f"{change.message}; {version.name} agrees to {1 - doubt:.0%}",
            created_at=now,
        )
        for name, media in worst
        for doubt, change in [doubts[name, media]]
        for task_id in examples.tasks.get(media, ())
        for annotation in house.records.annotations(project.key, [task_id])
        if not annotation.was_cancelled
        for answer in reader.as_given(annotation.result, unopened(task_id))
        if _is_about(answer, change)
    ]
    house.records.put_revisits(entries)
    return len({_key(entry) for entry in entries} - known)


def _keys(model: Model, change: Change) -> list[Key]:
    """The questions that a change is about: those among the siblings of an option, or all of a classification."""
    return [
        key
        for key, head in model.heads.items()
        if key[0] == change.classification
        and head.evidence is not None
        and (not change.option or key[1] == change.option[:-1])
    ]


def _by_media(model: Model, key: Key) -> dict[str, float]:
    """How much the answers of each media are doubted, in [0, 1], by a classifier that had not seen them."""
    evidence = model.heads[key].evidence
    if evidence is None or not len(model.rows):
        return {}
    apart = np.where(evidence.mask & evidence.counted, np.abs(evidence.targets - evidence.scores), 0.0).max(axis=1)
    names, numbers = np.unique(model.rows.media, return_inverse=True)
    worst = np.zeros(len(names))
    np.maximum.at(worst, numbers, apart)
    return dict(zip(names.tolist(), worst.tolist(), strict=True))


def _is_about(answer: Answer, change: Change) -> bool:
    parent = change.option[:-1]
    return answer.classification == change.classification and is_below(answer.option, parent)


def _key(entry: Revisit) -> tuple[int, str, tuple[str, ...]]:
    return entry.annotation_id, entry.classification, entry.option
