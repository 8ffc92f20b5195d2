"""Opening many tasks at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, write_digits
from espalier.jobs.opening import open_tasks
from espalier_ontology.labeling_config import parse


@pytest.mark.parametrize("count", [0, 1, 2, 9, 300])
def test_tasks_come_back_in_their_order_and_failures_with_their_task(home: Any, tmp_path: Path, count: int) -> None:
    digits = write_digits(tmp_path / "d", 5)
    home.configure(IMAGE_CONFIG)
    tasks: list[tuple[int, dict[str, object]]] = [
        (id, {"image": "gone.png" if id % 7 == 3 else str(digits[id % 5].path)}) for id in range(count, 0, -1)
    ]
    opened = open_tasks(tasks, parse(IMAGE_CONFIG), home.house.fetcher(home.project))
    assert [one.task_id for one in opened] == [id for id, _ in tasks]
    for one in opened:
        if one.task_id % 7 == 3:
            assert not one.media
            assert f"task {one.task_id}" in one.failures[0]
        else:
            assert one.media["image"].length == 1
            assert not one.failures


def test_media_that_nothing_asks_about_are_left_alone(home: Any, tmp_path: Path) -> None:
    config = IMAGE_CONFIG.replace("<View>", '<View><Image name="map" value="$map"/>')
    home.configure(config)
    (digit,) = write_digits(tmp_path / "d", 1)
    (one,) = open_tasks(
        [(1, {"image": str(digit.path), "map": "gone.png"})], parse(config), home.house.fetcher(home.project)
    )
    assert set(one.media) == {"image"}
    assert not one.failures
