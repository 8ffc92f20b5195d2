"""Hits for people and programs: where a frame is shown, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from espalier_ontology.answers import PERSON

from ..contract import Ids
from .fields import Json
from .frame_labels import FrameLabels
from .places import Place, places_in
from .searchable import Searchable


def hits_of(found: Searchable, ids: Ids, more: Sequence[Mapping[str, object]]) -> list[Json]:
    """By id: its first place, what is said of it, the other tasks that show it, and `more` of its own.

    Ids that no task shows any more are left out.
    """
    shown = places_in(found.shown, ids)
    labels = labels_of(found, ids, shown)
    return [
        {
            **everywhere[0].to_json(),
            **dict(own),
            "labels": said,
            "also": [place.task_id for place in everywhere[1:] if place.task_id != everywhere[0].task_id],
        }
        for everywhere, own, said in zip(shown, more, labels, strict=True)
        if everywhere
    ]


def labels_of(found: Searchable, ids: Ids, shown: Sequence[Sequence[Place]]) -> list[list[Json]]:
    """By id, what people and the version that serves say of it."""
    tasks = {place.task_id for everywhere in shown for place in everywhere}
    if not tasks:
        return [[] for _ in shown]
    people, version = found.labels.some_of_people(tasks), found.labels.some_of_version(tasks)
    name = found.labels.version_name or ""
    return [_said(people, id, PERSON) + _said(version, id, name) for id in np.asarray(ids).tolist()]


def _said(labels: FrameLabels, id: int, source: str) -> list[Json]:
    return [
        {"classification": name[0], "option": list(name[1:]), "source": source, "confidence": round(confidence, 6)}
        for name, confidence in labels.of(id)
    ]
