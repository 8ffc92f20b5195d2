"""Clusters of a project have right names, typical frames, and all members where they are asked for; and a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from espalier.errors import BadRequest
from espalier.similarity.projection import has_umap


def furnish(site: Any) -> None:
    """40 images of each of two kinds, half of them labeled, and 20 of a third, of which none is."""
    kinds = site.rows(3)
    rows = [site.unit(3 * kinds[kind] + 0.7 * row) for kind in (0, 1) for row in site.rows(40)]
    rows += [site.unit(3 * kinds[2] + 0.7 * row) for row in site.rows(20)]
    site.images(np.array(rows))
    for task in range(1, 41, 2):
        site.label(task, weather="rain")
        site.label(task + 40, weather="sun")


@pytest.mark.parametrize("request_", [{"count": 3}, {"method": "density", "smallest": 8}], ids=["kmeans", "density"])
def test_clusters_are_named_by_their_labels(site: Any, request_: dict[str, Any]) -> None:
    furnish(site)
    answer = site.ask("clusters", members=True, **request_)
    names = [cluster["name"] for cluster in answer["clusters"]]
    assert sorted(names[:2]) == ["weather: rain", "weather: sun"]
    assert names[2] == "cluster 3"
    assert answer["clusters"][2]["label"] is None
    for cluster in answer["clusters"][:2]:
        assert cluster["label"]["share"] == 1.0
        assert cluster["label"]["usual"] == 0.5
        rain = cluster["name"] == "weather: rain"
        assert all((hit["task"] <= 40) == rain for hit in cluster["hits"])
    assert sum(cluster["size"] for cluster in answer["clusters"]) + answer["in_none"] == answer["frames"] == 100
    assert all(len(cluster["hits"]) == cluster["size"] for cluster in answer["clusters"])
    assert "hits" not in site.ask("clusters", **request_)["clusters"][0]


@pytest.mark.parametrize("method", ["pca", "umap"])
def test_the_map_keeps_kinds_apart(site: Any, method: str) -> None:
    if method == "umap" and not has_umap():
        pytest.skip("umap-learn is not installed (the extra `umap`)")
    furnish(site)
    answer = site.ask("map", method=method)
    points = answer["points"]
    assert {len(column) for column in points.values()} == {100}
    at = np.array([points["x"], points["y"]]).T
    kind = (np.array(points["task"]) - 1) // 40
    centres = np.stack([at[kind == one].mean(axis=0) for one in range(3)])
    nearest = np.linalg.norm(at[:, None] - centres[None], axis=2).argmin(axis=1)
    assert (nearest == kind).mean() > 0.95
    assert answer["labels"] == ["weather: rain", "weather: sun"]
    of_task = {task: (points["label"][at], points["source"][at]) for at, task in enumerate(points["task"])}
    assert sorted(of_task) == list(range(1, 101))
    assert [of_task[task] for task in (1, 2, 41, 100)] == [(0, "person"), (-1, "nobody"), (1, "person"), (-1, "nobody")]


def test_the_map_tells_clusters_where_they_are_asked_for(site: Any) -> None:
    furnish(site)
    assert "cluster" not in site.ask("map", method="pca")["points"]
    points = site.ask("map", method="pca", clusters=True)["points"]
    made = site.ask("clusters", members=True)["clusters"]
    number = {hit["id"]: one["number"] for one in made for hit in one["hits"]}
    assert points["cluster"] == [number[id] for id in points["id"]]


def test_a_map_of_a_sample_says_so(site: Any) -> None:
    furnish(site)
    answer = site.ask("map", method="pca", most=30)
    assert (len(answer["points"]["id"]), answer["of"]) == (30, 100)
    assert "30 of 100" in answer["note"]


def test_clusters_of_nothing_are_none(site: Any) -> None:
    for method in ("kmeans", "density"):
        assert site.ask("clusters", method=method)["clusters"] == []
    assert site.ask("map", method="pca", clusters=True)["points"]["id"] == []


@pytest.mark.parametrize(
    ("kind", "request_", "said"),
    [
        ("clusters", {"method": "magic"}, "method must be one of kmeans, density"),
        ("clusters", {"count": 1.5}, "count must be a whole number"),
        ("clusters", {"classification": "colour"}, "no classification 'colour'"),
        ("map", {"method": "magic"}, "method must be one of auto, pca, umap"),
        ("map", {"most": 0}, "most must be"),
    ],
)
def test_what_cannot_be_asked_is_refused(site: Any, kind: str, request_: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        site.ask(kind, **request_)
