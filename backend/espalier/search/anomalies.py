"""Anomalies: frames unlike the normal ones, or unlike the others of their class, beyond a calibrated cutoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import BadRequest
from ..jobs.house import House
from ..jobs.progress import Progress
from ..similarity.novelty import Novelty
from ..store.rows import Project
from .conditions import Conditions, allowed_in
from .fields import Json, known_fields, number_in
from .looked_at import LookedAt, look_at
from .said import classification_asked, name_of, said_of

_MOST_HITS = 1000
FEWEST = 10
"""Normal frames under which nothing can be said of what is usual."""


@dataclass(frozen=True)
class AnomaliesRequest:
    """normal: a label, as in conditions; everything else is judged by the frames that people gave it (one class).

    classification: each of its options is judged by its own frames. Without both, the first that people answered.
    share: of unseen normal frames, how many would be flagged. The frames for which the conditions hold are judged.
    """

    normal: tuple[str, ...] | None = None
    classification: str | None = None
    share: float = 0.01
    k: int = 50
    conditions: Conditions = field(default_factory=Conditions)

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> AnomaliesRequest:
        given = known_fields(value, cls, "anomalies")
        if given.get("normal") is not None and given.get("classification") is not None:
            raise BadRequest("anomalies takes normal or classification, not both")
        share = number_in(given, "share", 0, 1)
        if share == 0:
            raise BadRequest("share must be above 0: some normal frames are always flagged")
        return cls(
            normal=Conditions.from_json({"label": given.get("normal")}).label,
            classification=given.get("classification"),
            share=share or 0.01,
            k=number_in(given, "k", 1, _MOST_HITS, whole=True) or 50,
            conditions=Conditions.from_json(given.get("conditions")),
        )


def anomalies(house: House, project: Project, request: AnomaliesRequest, progress: Progress) -> Json:
    """Hits beyond the cutoff of their class, the furthest beyond first. score: 1 is usual; cutoff: that of the class.

    Frames that people gave the class are what it is judged by, and not judged. classes: of each, how many were normal,
    judged and flagged.
    """
    looked = look_at(house, project, Conditions(), progress)
    allowed = allowed_in(looked.found, request.conditions)
    judged = np.ones(len(looked), np.bool_) if allowed is None else np.isin(looked.ids, allowed)
    beyond = np.full(len(looked), -np.inf)
    own: dict[int, Json] = {}
    classes: list[Json] = []
    groups = _one_class(looked, request.normal) if request.normal else _classes(looked, request.classification)
    left_out = [name for name, normal, _ in groups if normal.sum() < FEWEST]
    for name, normal, asked in groups:
        rows = np.flatnonzero(asked & judged & ~normal)
        if normal.sum() < FEWEST:
            continue
        progress.report(len(classes), len(groups), f"judging {name}")
        novelty = Novelty()
        novelty.fit(looked.embeddings[normal], looked.media[normal])
        cutoff = novelty.cutoff(request.share)
        scores = novelty.score(looked.embeddings[rows])
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
            if score / cutoff > beyond[row]:
                beyond[row] = score / cutoff
                own[row] = {"score": round(score, 6), "cutoff": round(cutoff, 6), "class": name}
        flagged = int((scores > cutoff).sum())
        counts = {"normal": int(normal.sum()), "judged": len(rows), "flagged": flagged, "cutoff": round(cutoff, 6)}
        classes.append({"name": name, **counts})
    if not classes:
        raise BadRequest(
            f"anomalies needs {FEWEST} embedded frames that people labeled alike: {', '.join(left_out)} has fewer"
            if left_out
            else "people have labeled no frame that is embedded: label some, or run `espalier embed`"
        )
    ranked = np.lexsort((looked.ids, -beyond))
    flagged_rows = ranked[beyond[ranked] > 1]
    shown = flagged_rows[: request.k]
    return {
        "hits": looked.hits(shown, [own[row] for row in shown.tolist()]),
        "flagged": len(flagged_rows),
        "share": request.share,
        "classes": classes,
        "frames": len(looked),
        "of": looked.of,
        "note": looked.note or (f"fewer than {FEWEST} frames: {', '.join(left_out)}" if left_out else ""),
    }


_Group = tuple[str, NDArray[np.bool_], NDArray[np.bool_]]
"""Name, normal frames, and frames that are judged by them (of which normal ones are left out)."""


def _one_class(looked: LookedAt, label: tuple[str, ...]) -> list[_Group]:
    classification_asked(looked.found, label[0])
    if len(label) < 2:
        raise BadRequest(f"normal must name an option, such as `{label[0]}: good`")
    normal = looked.found.labels.people().holds(looked.ids, label)
    return [(name_of(label), normal, np.ones(len(looked), np.bool_))]


def _classes(looked: LookedAt, classification: str | None) -> list[_Group]:
    said = said_of(looked.found, looked.ids, classification_asked(looked.found, classification))
    return [
        (name_of(option), said.holds[:, column] & said.people[:, column], said.holds[:, column])
        for column, option in enumerate(said.options)
    ]
