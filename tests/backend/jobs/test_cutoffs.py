"""A person's cutoffs: in force at once, for this version and the next, and gone again when they are taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest
from espalier.jobs import serving
from espalier.jobs.cutoffs import cutoffs_now, set_policy
from espalier.jobs.progress import Progress
from espalier.judging.cutoff_policy import Choice, CutoffPolicy

NEVER = CutoffPolicy(None, {"loop": Choice("by_hand", 1.0)})


def answered(home: Any, tasks: Sequence[Mapping[str, Any]], **parameters: Any) -> int:
    """How many tasks get an answer about the loop."""
    return sum(
        any(answer.classification == "loop" for answer in predicted.answers)
        for predicted in home.predict(tasks, **parameters)
    )


@pytest.fixture
def tasks(home: Any) -> list[dict[str, Any]]:
    """40 digits of which 30 are annotated, and a version that serves; these are the others."""
    home.configure(IMAGE_CONFIG)
    every, _ = home.digits(40, annotated=30)
    home.train()
    return list(every[30:])


def test_predictions_follow_at_once(home: Any, tasks: list[dict[str, Any]]) -> None:
    before = answered(home, tasks)
    assert before > 5
    change = set_policy(home.house, home.project, NEVER)
    assert change.after.version == "espalier-v1"
    assert answered(home, tasks) == 0
    assert answered(home, tasks, confidence=0.2) > 5  # what a run asks for is closer
    set_policy(home.house, home.project, CutoffPolicy())
    assert answered(home, tasks) == before


def test_metrics_follow_at_once(home: Any, tasks: list[dict[str, Any]]) -> None:
    change = set_policy(home.house, home.project, NEVER)
    given = [figure for figure in change.after.figures if figure["classification"] == "loop"]
    assert [figure["answers"] for figure in given] == [0, 0]
    assert sum(figure["answers"] for figure in change.before.figures if figure["classification"] == "loop") > 10
    (loop,) = (one for one in change.metrics["parts"]["cross"]["questions"] if one["classification"] == "loop")
    assert loop["coverage"] == 0
    again = set_policy(home.house, home.project, CutoffPolicy())
    assert again.after.figures == change.before.figures


def test_what_was_decided_by_the_old_cutoffs_is_made_anew(home: Any, tasks: list[dict[str, Any]]) -> None:
    assert serving.predict(home.house, home.project, tasks, Progress()) == len(tasks)
    assert serving.predict(home.house, home.project, tasks, Progress()) == 0
    assert set_policy(home.house, home.project, NEVER).dropped == len(tasks)
    assert serving.predict(home.house, home.project, tasks, Progress()) == len(tasks)
    kept = home.house.records.predictions(home.key, "espalier-v1", [task["id"] for task in tasks])
    assert not any(row.result for row in kept.values())


def test_the_next_version_answers_by_the_policy(home: Any, tasks: list[dict[str, Any]]) -> None:
    set_policy(home.house, home.project, NEVER)
    home.annotate(tasks[0]["id"], home.house.records.annotations(home.key, [1])[0].result)
    version = home.train()
    assert version.name == "espalier-v2"
    kept = home.house.version(home.project, "espalier-v2").cutoffs
    assert {entry["classification"] for entry in kept["options"]} == {"loop"}
    assert all(entry["cutoff"] == 1.0 for entry in kept["options"])


def test_a_choice_wins_over_the_configuration(home: Any, tasks: list[dict[str, Any]]) -> None:
    home.configure(IMAGE_CONFIG.replace('name="loop"', 'name="loop" model_score_threshold="0.99"'))
    assert answered(home, tasks) < 3
    set_policy(home.house, home.project, CutoffPolicy(Choice("by_hand", 0.3)))
    assert answered(home, tasks) == len(tasks)


def test_before_a_version_serves_the_choice_is_kept(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    change = set_policy(home.house, home.project, NEVER)
    assert (change.after.version, change.metrics) == (None, {})
    home.digits(24, annotated=24)
    home.train()
    assert {figure["cutoff"] for figure in cutoffs_now(home.house, home.project).figures[:2]} == {1.0}


def test_what_is_not_asked_is_refused_and_nothing_changes(home: Any, tasks: list[dict[str, Any]]) -> None:
    with pytest.raises(BadRequest, match="no classification 'hole'"):
        set_policy(home.house, home.project, CutoffPolicy(None, {"hole": Choice("best_f1")}))
    assert home.project.cutoffs == {}


def test_an_option_that_is_gone_says_nothing(home: Any, tasks: list[dict[str, Any]]) -> None:
    set_policy(home.house, home.project, CutoffPolicy(options={"open digit/7": Choice("by_hand", 0.9)}))
    home.configure(IMAGE_CONFIG.replace('<Choice value="7" hotkey="7"/>', ""))
    home.annotate(tasks[0]["id"], home.house.records.annotations(home.key, [1])[0].result)
    assert home.train().cutoffs == {}
