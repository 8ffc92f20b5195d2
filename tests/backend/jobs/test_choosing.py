"""Choosing by what the records hold, and keeping it for later trainings."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.demo.results import choices
from espalier.errors import BadRequest
from espalier.jobs.choosing import choose, keep, parameters_of
from espalier.learning.training_parameters import TrainingParameters

CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="c" toName="image"><Choice value="a"/><Choice value="b"/></Choices></View>"""


@pytest.fixture
def tasks(home: Any) -> Any:
    """1 to 4, of which 1 and 2 are labeled, 3 is skipped."""
    home.configure(CONFIG)
    home.add_tasks([{"image": f"{name}.png", "n": number} for number, name in enumerate("abcd")])
    for id, more in ((1, {}), (2, {}), (3, {"was_cancelled": True})):
        home.annotate(id, choices("image", {"c": "a"}), **more)
    return home


def test_filters_are_those_of_a_run(tasks: Any) -> None:
    def learned(**given: Any) -> Any:
        return choose(tasks.house, tasks.project, TrainingParameters(**given)).task_ids

    assert learned() is None
    assert learned(filter="labeled") == {1, 2}
    assert learned(filter="image=[bc].png") == {2, 3}
    assert learned(filter="n=*", tasks=(4,)) == {4}
    assert choose(tasks.house, tasks.project, TrainingParameters(background="unlabeled")).background == {3, 4}


def test_what_is_no_filter_is_named_with_its_parameter(tasks: Any) -> None:
    with pytest.raises(BadRequest, match="val_filter: filter must be one of all, unlabeled"):
        choose(tasks.house, tasks.project, TrainingParameters(val_filter="nice"))
    with pytest.raises(BadRequest, match="needs a Label Studio token that works"):
        choose(tasks.house, tasks.project, TrainingParameters(filter="view=3"))


def test_what_is_kept_holds_until_it_is_chosen_otherwise(tasks: Any) -> None:
    assert parameters_of(tasks.project) == TrainingParameters()
    before = tasks.project.revision
    chosen = TrainingParameters(val_tasks=(2,), class_weights={"c/a": 3.0}, leave_out=("c/b",))
    assert parameters_of(keep(tasks.house, tasks.project, chosen)) == chosen
    assert tasks.project.revision == before + 1, "what serves was trained by others"
    keep(tasks.house, tasks.project, chosen)
    assert tasks.project.revision == before + 1
    assert keep(tasks.house, tasks.project, TrainingParameters()).training == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"val_tasks": (9,)}, "the project has no tasks 9"),
        ({"classifications": ("d",)}, "there is no classification 'd' to learn; there are c"),
        ({"group_column": "m"}, "no task's data has such a field; the tasks' data has image, n"),
    ],
)
def test_what_does_not_fit_the_project_is_refused_and_not_kept(tasks: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        keep(tasks.house, tasks.project, TrainingParameters(**given))
    assert tasks.project.training == {}


def test_what_fitted_once_and_does_no_more_is_told_and_stops_no_training(tasks: Any) -> None:
    keep(tasks.house, tasks.project, TrainingParameters(leave_out=("c/b",), tasks=(1, 2)))
    tasks.configure(CONFIG.replace('<Choice value="b"/>', '<Choice value="d"/>'))
    tasks.house.records.forget_tasks(tasks.key, [2])
    choice = choose(tasks.house, tasks.project, parameters_of(tasks.project))
    assert choice.task_ids == frozenset({1})
    assert choice.problems[0].startswith("'c/b' is no classification and no `classification/option`")
    assert choice.problems[1] == "task: the project has no tasks 2"
