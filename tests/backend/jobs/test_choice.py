"""What a person chose, task by task: the pure part."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.jobs.choice import Choice, choice_of
from espalier.learning.training_parameters import TrainingParameters

DATA: dict[int, dict[str, Any]] = {
    1: {"image": "a.png", "split": "Train", "board": "x"},
    2: {"image": "b.png", "split": "VALID", "board": "x"},
    3: {"image": "c.png", "split": "dev", "board": "y"},
    4: {"image": "d.png", "split": " test ", "board": 7},
    5: {"image": "e.png", "split": "validation"},
}


def chosen(
    passing: dict[str, set[int]] | None = None,
    annotated: set[int] | None = None,
    data: dict[int, dict[str, Any]] = DATA,
    **given: Any,
) -> Choice:
    found = {name: frozenset(ids) for name, ids in (passing or {}).items()}
    answered = set(data) if annotated is None else annotated
    return choice_of(TrainingParameters(**given), data, answered, found, ["image"])


def test_where_nothing_is_chosen_nothing_is_said() -> None:
    assert chosen() == Choice()


@pytest.mark.parametrize(
    ("passing", "given", "ids"),
    [
        ({"filter": {1, 2, 3}}, {"filter": "n=*"}, {1, 2, 3}),
        ({"filter": {1, 2}}, {"filter": "n=*", "tasks": (2, 3)}, {2}),
        ({}, {"tasks": (1, 2), "val_tasks": (3,)}, {1, 2, 3}),
        ({"filter": {1}, "val_filter": {4, 5}}, {"filter": "n=*", "val_filter": "n=*"}, {1, 4, 5}),
        ({"filter": {1, 2}, "background": {5}}, {"filter": "labeled", "background": "n=*"}, {1, 2, 5}),
        ({"background": {5}}, {"background": "n=*"}, None),
    ],
    ids=["filter", "filter and tasks", "validation beside tasks", "two filters", "background is added", "no limit"],
)
def test_which_tasks_are_learned_from(passing: Any, given: dict[str, Any], ids: set[int] | None) -> None:
    choice = chosen(passing, **given)
    assert choice.task_ids == ids
    assert choice.background == passing.get("background", frozenset())
    assert choice.problems == []


def test_a_validation_set_leaves_the_others_to_chance() -> None:
    assert chosen(val_tasks=(2, 3)).part_of == {2: "validation", 3: "validation"}
    assert chosen({"val_filter": {4}}, val_filter="n=*").part_of == {4: "validation"}


def test_a_split_column_is_read_in_any_case_and_decides_every_task() -> None:
    choice = chosen(split_column="split")
    assert choice.part_of == {1: "train", 2: "validation", 3: "validation", 4: "test", 5: "validation"}
    assert choice.problems == []


def test_an_unknown_part_is_named_and_trained_on() -> None:
    choice = chosen(
        data={**DATA, 6: {"image": "f.png", "split": "holdout"}, 7: {"image": "g.png"}}, split_column="split"
    )
    assert (choice.part_of[6], choice.part_of[7]) == ("train", "train")
    assert choice.problems == [
        "split_column 'split' says 'holdout', which is no part (train, validation or test), for task 6: trained on",
        "split_column 'split' says nothing for task 7: trained on",
    ]


def test_a_group_column_keeps_equal_values_together() -> None:
    choice = chosen(group_column="board")
    assert choice.group_of == {1: "x", 2: "x", 3: "y", 4: "7"}
    assert choice.problems == ["group_column 'board' says nothing for task 5: each is a group of its own"]


def test_groups_that_show_the_same_media_are_one() -> None:
    data: dict[int, dict[str, Any]] = {
        1: {"image": "same.png", "board": "x"},
        2: {"image": "same.png", "board": "y"},
        3: {"image": "b.png", "board": "y"},
        4: {"image": "b.png", "board": "z"},
        5: {"image": "c.png", "board": "w"},
    }
    choice = chosen(data=data, group_column="board")
    assert {choice.group_of[id] for id in (1, 2, 3, 4)} == {"x"}
    assert choice.group_of[5] == "w"
    assert choice.problems[0] == "groups 'x' and 'y' are one: tasks 1, 2 of both show 'same.png'"


def test_what_a_person_put_on_both_sides_stays_there_and_is_told() -> None:
    assert chosen(split_column="split", group_column="board").problems[-1] == (
        "group 'x' stands in train and validation (tasks 1, 2): it stays as it was chosen, and what is measured there "
        "flatters"
    )
    half = chosen(val_tasks=(2,), group_column="board")
    assert not any("flatters" in told for told in half.problems), "the rest of the group follows what was chosen"


@pytest.mark.parametrize(
    ("given", "passing", "said"),
    [
        ({"tasks": (1, 8, 9)}, {}, "task: the project has no tasks 8, 9"),
        ({"val_tasks": (99,)}, {}, "val_task: the project has no tasks 99"),
        ({"split_column": "part"}, {}, "no task's data has such a field; the tasks' data has board, image, split"),
        ({"group_column": "Board"}, {}, "group_column 'Board': no task's data has such a field"),
        ({"filter": "boards=x"}, {"filter": set()}, "chooses no task; the tasks' data has board, image, split"),
        ({"val_filter": "board=q*"}, {"val_filter": set()}, "val_filter 'board=q*' chooses no task"),
    ],
    ids=["tasks", "validation", "split column", "group column", "unknown field", "no match"],
)  # fmt: skip
def test_what_was_mistyped_is_answered_with_what_there_is(given: dict[str, Any], passing: Any, said: str) -> None:
    (mistake,) = chosen(passing, **given).mistakes
    assert said in mistake


@pytest.mark.parametrize(
    ("annotated", "given", "said"),
    [
        ({1, 2}, {"val_tasks": (3, 4)}, "no task of the chosen validation set is annotated (tasks 3, 4)"),
        ({1, 3}, {"val_tasks": (3, 4)}, "task 4 of the chosen validation set not annotated yet: measured without"),
        ({3}, {"val_tasks": (3,)}, "nothing is left to train on"),
    ],
    ids=["none", "some", "all"],
)
def test_a_validation_set_that_cannot_do_its_work_is_told(annotated: set[int], given: Any, said: str) -> None:
    assert any(said in warning for warning in chosen(annotated=annotated, **given).warnings)
