"""The frames behind a figure of an evaluation: right, wrong, or in one cell of the confusion matrix."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path as Directory
from typing import Any

import numpy as np

from ...contract import Ids
from ...errors import BadRequest
from ...judging.confusion import cell_rows
from ...judging.evaluation import cutoffs_in_force
from ...judging.judged import Judged, judged
from ...judging.own_cutoffs import OwnCutoffs
from ...learning.model import Model
from ...learning.questions import Key
from ...store.catalogue import CataloguedMedia
from ...store.frame_ids import ids_of
from ...store.rows import Project
from ..configurations import todays
from ..house import House
from ..progress import Progress

Json = dict[str, Any]
WHICH = ("all", "right", "wrong", "above", "below", "cell")


def judged_frames(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> Json:
    """Frames of one question and part, the surest first.

    request: version, classification, parent (a path, or []), part, which; for `cell` true and predicted, each a path or
    null for none; offset, limit. Each frame has media, task, tag, frame (from 1; null where no task shows it), truth
    and answers (lists of paths), best (the path of the highest score), score (of it).
    """
    row = house.version(project, request["version"])
    model = house.model(Directory(row.directory))
    ontology = todays(house, project)
    cutoffs = cutoffs_in_force(ontology, model, OwnCutoffs.from_json(row.cutoffs).effective(ontology, model))
    key: Key = (str(request["classification"]), tuple(request.get("parent") or ()))
    head = model.heads.get(key)
    found = judged(model, head, request["part"], cutoffs) if head is not None else None
    if head is None or found is None:
        raise BadRequest(f"nothing was learned about {' / '.join((key[0], *key[1]))!r}, so no frame was judged")
    best = found.scores.max(axis=1, initial=0.0)
    chosen = _chosen(model, key, request, found, cutoffs)
    order = chosen[np.argsort(-best[chosen], kind="stable")]
    offset, limit = int(request.get("offset", 0)), int(request.get("limit", 50))
    shown = order[offset : offset + limit]
    places = _Places(house, project)
    frames = []
    for at in shown.tolist():
        number = int(found.rows[at])
        media, frame = str(model.rows.media[number]), int(model.rows.frames[number])
        column = int(found.scores[at].argmax())
        frames.append(
            {
                **places.of(media, frame),
                "truth": [list(head.options[one]) for one in np.flatnonzero(found.holds[at])],
                "answers": [list(head.options[one]) for one in np.flatnonzero(found.answers[at])],
                "best": list(head.options[column]),
                "score": round(float(found.scores[at, column]), 5),
            }
        )
    return {"version": row.name, "total": len(order), "frames": frames}


def _chosen(model: Model, key: Key, request: Mapping[str, Any], found: Judged, cutoffs: Any) -> Ids:
    """Places in the arrays of `found`."""
    which = request["which"]
    if which == "cell":
        true, predicted = (
            None if request.get(name) is None else tuple(request[name]) for name in ("true", "predicted")
        )
        rows = cell_rows(model, key, request["part"], true, predicted, cutoffs=cutoffs)
        return np.flatnonzero(np.isin(found.rows, rows)).astype(np.int64)
    answered = found.answers.any(axis=1)
    right = (found.answers == found.holds).all(axis=1)
    holds = {"all": True, "right": right, "wrong": ~right & answered, "above": answered, "below": ~answered}
    if which not in holds:
        raise BadRequest(f"which must be one of {', '.join(WHICH)}, got {which!r}")
    return np.flatnonzero(found.said & holds[which]).astype(np.int64)


class _Places:
    """From a media and its frame to the first task that shows it, by the catalogue."""

    def __init__(self, house: House, project: Project) -> None:
        media = {one.number: one for one in house.records.catalogued(project.key)}
        items: dict[tuple[int, str], list[CataloguedMedia]] = {}
        for showing in house.records.showings(project.key):  # by task, tag and item
            if showing.media in media:
                items.setdefault((showing.task_id, showing.tag), []).append(media[showing.media])
        self._shown: dict[str, tuple[int, str, list[CataloguedMedia]]] = {}
        for (task_id, tag), shown in items.items():
            is_sequence = shown[0].kind == "sequence"
            self._shown.setdefault(_sequence(shown) if is_sequence else shown[0].digest, (task_id, tag, shown))

    def of(self, media: str, frame: int) -> Json:
        """frame: from 0, within the media as the model's rows have it."""
        task, tag, shown = self._shown.get(media, (None, None, []))
        told: Json = {"media": media, "task": task, "tag": tag, "frame": frame + 1, "id": None}
        if shown and shown[0].kind != "sequence":
            told["id"] = int(ids_of(shown[0].number, np.array([frame]))[0])
        elif frame < len(shown):
            told["id"] = int(ids_of(shown[frame].number, np.array([0]))[0])
        return told


def _sequence(shown: Sequence[CataloguedMedia]) -> str:
    """The digest of a sequence, as `media.Media` has it."""
    return hashlib.sha256("\n".join(one.digest for one in shown).encode()).hexdigest()
