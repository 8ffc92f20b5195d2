"""The map: a project's frames as points in the plane, for a picture of them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ..errors import BadRequest
from ..jobs.house import House
from ..jobs.progress import Progress
from ..similarity.projection import Method, has_umap, projection
from ..store.rows import Project
from .clusters import ClustersRequest, members_of
from .conditions import Conditions
from .fields import Json, choice_in, flag_in, known_fields, number_in
from .looked_at import look_at
from .places import places_in
from .said import classification_asked, name_of, said_of

_METHODS = ("auto", "pca", "umap")
_USUAL, _MOST = 20_000, 100_000


@dataclass(frozen=True)
class MapRequest:
    """method: umap where it is installed, else pca. most: points. classification: which one colours them. clusters:
    also tell the cluster of each point, as `clusters` makes them by itself."""

    method: str = "auto"
    most: int = _USUAL
    classification: str | None = None
    conditions: Conditions = field(default_factory=Conditions)
    seed: int = 0
    clusters: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> MapRequest:
        given = known_fields(value, cls, "map")
        method = choice_in(given, "method", _METHODS, default="auto")
        if method == "umap" and not has_umap():
            raise BadRequest("umap is not installed: pip install 'label-studio-espalier[umap]', or ask for pca")
        return cls(
            method=("umap" if has_umap() else "pca") if method == "auto" else method,
            most=number_in(given, "most", 1, _MOST, whole=True) or _USUAL,
            classification=given.get("classification"),
            conditions=Conditions.from_json(given.get("conditions")),
            seed=number_in(given, "seed", 0, 2**32 - 1, whole=True) or 0,
            clusters=flag_in(given, "clusters", default=False),
        )


def project_map(house: House, project: Project, request: MapRequest, progress: Progress) -> Json:
    """Points by columns: id, task, tag, frame (from 1), time_s, x, y (each within [-1, 1]), and label, a place in
    `labels`, or -1; source: person, version or nobody; cluster, where it was asked for."""
    looked = look_at(house, project, request.conditions, progress, most=request.most)
    only = None if request.classification is None else classification_asked(looked.found, request.classification)
    progress.report(0, 0, "drawing the map")
    points = projection(looked.embeddings, cast("Method", request.method), seed=request.seed)
    said = said_of(looked.found, looked.ids, only)
    number = np.where(said.holds.any(axis=1), said.holds.argmax(axis=1) if said.options else -1, -1)
    by_people = said.people[np.arange(len(looked)), number] if said.options else np.zeros(len(looked), np.bool_)
    source = np.where(number < 0, "nobody", np.where(by_people, "person", "version"))
    shown = places_in(looked.found.shown, looked.ids)
    columns: dict[str, list[object]] = {name: [] for name in ("id", "task", "tag", "frame", "time_s")}
    there = [row for row, everywhere in enumerate(shown) if everywhere]
    for row in there:
        for name, value in shown[row][0].to_json().items():
            columns[name].append(value)
    columns["x"], columns["y"] = (np.round(points[there, axis].astype(np.float64), 5).tolist() for axis in (0, 1))
    columns["label"], columns["source"] = number[there].tolist(), source[there].tolist()
    if request.clusters:
        columns["cluster"] = members_of(looked, ClustersRequest())[there].tolist()
    return {
        "points": columns,
        "labels": [name_of(option) for option in said.options],
        "method": request.method,
        "frames": len(looked),
        "of": looked.of,
        "note": looked.note,
    }
