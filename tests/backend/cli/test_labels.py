"""labels, and what `train` lets a person choose, on a real project."""

from __future__ import annotations

import json
from typing import Any

import pytest

from espalier.cli.train import changed
from espalier.errors import BadRequest
from espalier.learning.training_parameters import TrainingParameters


def test_every_option_has_a_line_and_doubts_stand_below(espalier: Any, project: str) -> None:
    told = espalier("labels", project)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[0].split() == ["images", "without"]
    names = [line.strip().split("  ")[0] for line in lines[1:]]
    assert {"loop", "has a loop", "no loop", "looped digit", "open digit"} <= set(names)
    (loop,) = (line.split() for line in lines if line.startswith("  no loop"))
    assert int(loop[2]) + int(loop[3]) == 24
    assert any(line.startswith("warning: looped digit: fewer than 15 images, so") for line in lines)


def test_for_programs_it_is_json(espalier: Any, project: str) -> None:
    counts = json.loads(espalier("labels", project, "--json").output)
    assert [question["classification"] for question in counts["questions"]] == ["loop", "looped digit", "open digit"]
    assert sum(option["media"] for option in counts["questions"][0]["options"]) == 24
    assert counts["warnings"]


def test_what_is_chosen_is_kept_shown_and_heeded(espalier: Any, project: str) -> None:
    chosen = ("--val-task", "1", "--val-task", "2", "--leave-out", "open digit", "--seed", "3", "--no-search")
    trained = espalier("train", project, "--here", *chosen)
    assert trained.exit_code == 0, trained.output
    assert "2 classifications answered on 24 media" in trained.output
    assert "open digit: the chosen" not in trained.output
    told = espalier("labels", project).output
    assert told.splitlines()[0].split() == ["images", "without", "train", "validation", "test"]
    assert "open digit" in told
    assert "not learned: left out by choice" in told
    shown = espalier("train", project, "--show").output.splitlines()
    marked = {line.split()[0]: line.split()[1:] for line in shown if line.endswith("chosen")}
    assert marked == {
        "leave_out": ["open", "digit", "chosen"],
        "val_tasks": ["1,", "2", "chosen"],
        "seed": ["3", "chosen"],
        "search": ["False", "chosen"],
    }
    assert "not trained" in espalier("versions", project).output
    assert espalier("train", project, "--here", "--reset").exit_code == 0
    assert not any(line.endswith("chosen") for line in espalier("train", project, "--show").output.splitlines())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--val-task", "99"), "val_task: the project has no tasks 99"),
        (
            ("--group-column", "board"),
            "group_column 'board': no task's data has such a field; the tasks' data has image",
        ),
        (("--classification", "digit"), "there is no classification 'digit' to learn; there are loop"),
        (("--weight", "loop=much"), "--weight takes CLASSIFICATION/OPTION=WEIGHT, got 'loop=much'"),
        (("--default-label", "loop"), "--default-label takes CLASSIFICATION=OPTION, got 'loop'"),
        (("--val-split", "0.9"), "val_split must be a number within [0, 0.5], got 0.9"),
        (("--filter", "nice"), "filter must be one of all"),
        (("--val-task", "1", "--val-filter", "image=*"), "choose the validation set in one way"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_before_anything_starts(
    espalier: Any, project: str, options: tuple[str, ...], says: str
) -> None:
    result = espalier("train", project, "--here", *options)
    assert result.exit_code == 1
    assert says in result.output
    assert "no model version yet" in espalier("versions", project).output


def test_new_choices_stand_beside_the_old_and_one_validation_set_takes_the_place_of_another() -> None:
    before = TrainingParameters(val_tasks=(1,), seed=4, background="kind=none", leave_out=("a",))
    after = changed(before, {"split_column": "part", "seed": None, "leave_out": (), "background": ""})
    assert after == TrainingParameters(split_column="part", seed=4, leave_out=("a",))
    assert changed(after, {"leave_out": ("",), "split_column": ""}) == TrainingParameters(seed=4)


def test_pairs_are_read_from_the_right() -> None:
    given = {"class_weights": ("kind/a=b=2",), "default_labels": ("kind=a",)}
    after = changed(TrainingParameters(), given)
    assert (after.class_weights, after.default_labels) == ({"kind/a=b": 2.0}, {"kind": "a"})
    with pytest.raises(BadRequest):
        changed(TrainingParameters(), {"class_weights": ("kind/a",)})
