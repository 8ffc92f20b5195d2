"""From frames to where people see them."""

from __future__ import annotations

from typing import Any

import numpy as np

from espalier.search.places import Place, places
from espalier.search.searchable import searchable
from espalier.store.catalogue import Shown


def everywhere(site: Any) -> list[tuple[Place, ...]]:
    return places(site.house, site.project, searchable(site.house, site.project).frames.ids)


def test_an_image_is_frame_0_of_its_task(site: Any) -> None:
    site.images(site.rows(2))
    assert [[(place.task_id, place.tag, place.frame, place.time_s) for place in one] for one in everywhere(site)] == [
        [(1, "image", 0, None)],
        [(2, "image", 0, None)],
    ]


def test_an_item_of_a_sequence_is_a_frame_of_its_task(site: Any) -> None:
    site.show(*(Shown(5, "pages", item, f"page {item}", "sequence") for item in range(3)))
    site.embed([(f"page {item}", 0) for item in range(3)], site.rows(3))
    assert sorted(one[0].frame for one in everywhere(site)) == [0, 1, 2]
    assert everywhere(site)[0][0].to_json() | {"id": 0} == {
        "id": 0,
        "task": 5,
        "tag": "pages",
        "frame": everywhere(site)[0][0].frame + 1,
        "time_s": None,
    }


def test_a_frame_of_a_video_has_its_time(site: Any) -> None:
    site.video(3, site.rows(3), rate=25, numbers=[0, 50, 99])
    assert [(one[0].frame, one[0].time_s) for one in everywhere(site)] == [(0, 0.0), (50, 2.0), (99, 3.96)]


def test_a_frame_that_several_tasks_show_names_them_all_the_lowest_first(site: Any) -> None:
    digest = "shared"
    site.show(
        site.shown(9, digest),
        site.shown(4, digest),
        Shown(6, "pages", 2, digest, "image"),
        Shown(6, "pages", 0, digest, "image"),
    )
    site.embed([(digest, 0)], site.rows(1))
    (shown,) = everywhere(site)
    assert [(place.task_id, place.tag, place.frame) for place in shown] == [
        (4, "image", 0),
        (6, "pages", 0),
        (6, "pages", 2),
        (9, "image", 0),
    ]


def test_what_no_task_shows_any_more_is_nowhere(site: Any) -> None:
    site.images(site.rows(2))
    ids = searchable(site.house, site.project).frames.ids
    site.house.records.forget_tasks(site.key, [1])
    assert [len(one) for one in places(site.house, site.project, ids)] == [0, 1]
    assert places(site.house, site.project, np.zeros(0, np.int64)) == []
