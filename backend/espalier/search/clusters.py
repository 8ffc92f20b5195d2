"""Clusters of a project's frames, named by what people and the version say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..contract import Ids
from ..jobs.house import House
from ..jobs.progress import Progress
from ..labeling.clustering import clusters as k_means
from ..similarity.cluster_names import ClusterName, cluster_names
from ..similarity.density import density_clusters
from ..store.rows import Project
from .conditions import Conditions
from .fields import Json, choice_in, flag_in, known_fields, number_in
from .looked_at import LookedAt, look_at
from .said import Said, classification_asked, name_of, said_of

_METHODS = ("kmeans", "density")
_MOST = 500
_TYPICAL = 6


@dataclass(frozen=True)
class ClustersRequest:
    """method: kmeans makes `count` clusters; density (HDBSCAN) as many as there are, of `smallest` frames at least, and
    leaves out what is in none. classification: names come from it alone. members: tell every frame of each."""

    method: str = "kmeans"
    count: int | None = None
    smallest: int | None = None
    classification: str | None = None
    conditions: Conditions = field(default_factory=Conditions)
    members: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> ClustersRequest:
        given = known_fields(value, cls, "clusters")
        return cls(
            method=choice_in(given, "method", _METHODS, default="kmeans"),
            count=number_in(given, "count", 1, _MOST, whole=True),
            smallest=number_in(given, "smallest", 2, whole=True),
            classification=given.get("classification"),
            conditions=Conditions.from_json(given.get("conditions")),
            members=flag_in(given, "members", default=False),
        )


def clusters(house: House, project: Project, request: ClustersRequest, progress: Progress) -> Json:
    """The largest first, each with its most typical frames. in_none: how many frames are in no cluster."""
    looked = look_at(house, project, request.conditions, progress)
    only = None if request.classification is None else classification_asked(looked.found, request.classification)
    progress.report(0, 0, "clustering")
    member = members_of(looked, request)
    said = said_of(looked.found, looked.ids, only)
    names = cluster_names(member, said.holds, said.asked)
    order = np.argsort(member, kind="stable")
    edges = np.searchsorted(member[order], np.arange(int(member.max(initial=-1)) + 2))
    told = [
        _told(looked, said, number, order[edges[number] : edges[number + 1]], names.get(number), request.members)
        for number in range(len(edges) - 1)
    ]
    return {
        "clusters": told,
        "method": request.method,
        "in_none": int((member < 0).sum()),
        "frames": len(looked),
        "of": looked.of,
        "note": looked.note,
    }


def members_of(looked: LookedAt, request: ClustersRequest) -> Ids:
    """The cluster of each frame, -1 in none."""
    if request.method == "density":
        return density_clusters(looked.embeddings, smallest=request.smallest)
    usual = min(50, max(2, round(float(np.sqrt(len(looked) / 2)))))
    return k_means(looked.embeddings, request.count or usual)


def _told(looked: LookedAt, said: Said, number: int, rows: Ids, name: ClusterName | None, members: bool) -> Json:
    centre = looked.embeddings[rows].mean(axis=0)
    cohesion = float(np.linalg.norm(centre))
    near = looked.embeddings[rows] @ (centre / max(cohesion, 1e-9))
    ranked = rows[np.lexsort((rows, -near))]
    scores = np.sort(near)[::-1]
    # Of one video a frame alone: its neighbours are as typical.
    first = np.sort(np.unique(looked.media[ranked], return_index=True)[1])[:_TYPICAL]
    own = [{"score": round(float(score), 6)} for score in scores]
    told: Json = {
        "number": number,
        "name": f"cluster {number + 1}" if name is None else name_of(said.options[name.option]),
        "label": None,
        "size": len(rows),
        "media": len(np.unique(looked.media[rows])),
        "cohesion": round(cohesion, 6),
        "typical": looked.hits(ranked[first], [own[place] for place in first.tolist()]),
    }
    if name is not None:
        option = said.options[name.option]
        told["label"] = {
            "classification": option[0],
            "option": list(option[1:]),
            "share": round(name.share, 6),
            "usual": round(name.usual, 6),
        }
    if members:
        told["hits"] = looked.hits(ranked, own)
    return told
