"""Which tasks a run is about."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.demo.results import choices
from espalier.errors import BadRequest
from espalier.jobs.parameters import RunParameters
from espalier.jobs.selection import load, select
from espalier.jobs.withheld import WRITTEN

CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="c" toName="image"><Choice value="a"/><Choice value="b"/></Choices></View>"""


@pytest.fixture
def tasks(home: Any) -> Any:
    """1 is labeled, 2 is skipped, 3 and 4 are neither; a run has written 3, another one that was undone 4."""
    home.configure(CONFIG)
    home.add_tasks([{"image": f"{name}.png", "n": number} for number, name in enumerate("abcd")])
    home.annotate(1, choices("image", {"c": "a"}))
    home.annotate(2, choices("image", {"c": "a"}), was_cancelled=True)
    records = home.house.records
    for state, task_id in (("done", 3), ("undone", 4), ("failed", 5)):
        run = records.add_run(home.key, RunParameters().to_json())
        records.set_run_items(run.id, {task_id: WRITTEN, 1: "nothing"})
        records.set_run(run.id, state=state)
    return home


def chosen(home: Any, **parameters: Any) -> list[int]:
    return [task["id"] for task in select(home.house, home.project, RunParameters(**parameters))]


@pytest.mark.parametrize(
    ("parameters", "ids"),
    [
        ({}, [1, 2, 3, 4]),
        ({"filter": "labeled"}, [1]),
        ({"filter": "unlabeled"}, [2, 3, 4]),
        ({"filter": "unpredicted"}, [1, 2, 4]),
        ({"existing": "skip"}, [1, 2, 4]),
        ({"filter": "image=[bc].png"}, [2, 3]),
        ({"filter": "image=*"}, [1, 2, 3, 4]),
        ({"filter": "n=3"}, [4]),
        ({"filter": "other=*.png"}, []),
        ({"tasks": (4, 2)}, [2, 4]),
        ({"tasks": (1, 2), "filter": "unlabeled"}, [2]),
        ({"tasks": ()}, []),
    ],
    ids=str,
)
def test_filters(tasks: Any, parameters: dict[str, Any], ids: list[int]) -> None:
    assert chosen(tasks, **parameters) == ids


def test_what_a_failed_run_wrote_is_predicted(tasks: Any) -> None:
    tasks.add_tasks([{"image": "e.png"}], first=5)
    assert chosen(tasks, filter="unpredicted") == [1, 2, 4]


def test_tasks_that_are_not_there_are_named(tasks: Any) -> None:
    with pytest.raises(BadRequest, match=r"project 7 has no tasks \[8, 9\]"):
        chosen(tasks, tasks=(9, 1, 8))


def test_a_tab_of_the_data_manager_needs_label_studio(tasks: Any) -> None:
    with pytest.raises(BadRequest, match="needs a Label Studio token that works"):
        chosen(tasks, filter="view=1")


def test_tasks_come_with_their_annotations_as_label_studio_sends_them(tasks: Any) -> None:
    first, second = load(tasks.house, tasks.project, [2, 1])
    assert first["annotations"] == [{"id": 1, "result": choices("image", {"c": "a"}), "was_cancelled": False}]
    assert second["annotations"][0]["was_cancelled"]
