"""The most similar pairs of a project: across shots, and across two sets of frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from espalier.errors import BadRequest


def tasks_of(pair: dict[str, Any]) -> tuple[int, ...]:
    return tuple(sorted(hit["task"] for hit in pair["hits"]))


def test_the_best_pairs_come_first_with_their_places(site: Any) -> None:
    rows = site.rows(20)
    rows[11] = site.unit(rows[3] + 0.1 * rows[5])
    rows[17] = rows[8]
    site.images(rows)
    answer = site.ask("pairs", k=2)
    assert [tasks_of(pair) for pair in answer["pairs"]] == [(9, 18), (4, 12)]
    assert answer["pairs"][0]["score"] == pytest.approx(1)
    assert answer["frames"] == answer["of"] == 20
    assert {"id", "task", "tag", "frame", "time_s", "labels"} <= answer["pairs"][0]["hits"][0].keys()


def test_neighbouring_frames_of_a_video_are_no_pair(site: Any) -> None:
    first, second = site.rows(2)
    shot = [site.unit(first + 0.03 * row) for row in site.rows(30)]
    other = [site.unit(second + 0.03 * row) for row in site.rows(30)]
    again = [site.unit(first + 0.03 * row) for row in site.rows(30)]
    site.video(1, np.array(shot + other + again))
    site.images(site.rows(5), first=2)
    best = site.ask("pairs", k=3)["pairs"][0]
    frames = sorted(hit["frame"] for hit in best["hits"])
    assert frames[0] <= 30
    assert frames[1] > 60


def test_pairs_of_labeled_with_unlabeled_frames(site: Any) -> None:
    rows = site.rows(12)
    rows[1] = rows[0]
    rows[11] = site.unit(rows[0] + 0.2 * rows[5])
    site.images(rows)
    for task in (1, 2):
        site.label(task, weather="rain")
    answer = site.ask("pairs", k=1, conditions={"label": "weather: rain"}, against={"unlabeled": True})
    assert tasks_of(answer["pairs"][0]) == (1, 12)
    assert site.ask("pairs", k=50, min_score=0.99)["pairs"][0]["score"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("request_", "said"),
    [({"k": 0}, "k must be a whole number"), ({"kk": 1}, "'kk' is not known"), ({"min_score": 2}, "min_score must be")],
)
def test_what_cannot_be_asked_is_refused(site: Any, request_: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        site.ask("pairs", **request_)


def test_an_empty_project_has_no_pairs(site: Any) -> None:
    answer = site.ask("pairs")
    assert answer["pairs"] == []
    assert "espalier embed" in answer["note"]
