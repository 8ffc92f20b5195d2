"""Figures that are drawn, and the scores by which a page counts along: they say what the evaluation says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest
from espalier.jobs.errands import drawing
from espalier.jobs.errands.doing import do
from espalier.jobs.progress import Progress

ASKED = {"version": "espalier-v1", "classification": "loop", "parent": [], "part": "cross"}


@pytest.fixture
def trained(home: Any) -> Any:
    home.configure(IMAGE_CONFIG)
    home.digits(60, annotated=50)
    home.train()
    return home


def asked(home: Any, errand: str, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = do(home.house, home.key, errand, ASKED | request, Progress())
    assert json.loads(json.dumps(answer)) == answer, "plain JSON"
    return answer


def question(home: Any) -> dict[str, Any]:
    questions = asked(home, "evaluation")["parts"]["cross"]["questions"]
    return next(one for one in questions if one["classification"] == "loop")


def test_the_drawn_matrix_counts_what_the_evaluation_counts(trained: Any) -> None:
    (heat,) = asked(trained, "drawn")["figures"]["confusion"]["data"]
    counts = [[int(cell or 0) for cell in row] for row in heat["text"]]
    matrix = np.array(question(trained)["confusion"])
    assert np.array_equal(np.array(counts), matrix[: len(counts), : len(counts)])
    assert matrix.sum() == np.sum(counts), "a row or column that is left out is empty"
    assert heat["customdata"][0][1][:2] == ["has a loop", "no loop"]


def test_figures_of_every_step_are_those_of_the_learning_curve(trained: Any) -> None:
    told = asked(trained, "step_figures")
    questions = asked(trained, "steps")["questions"]
    learning = next(one for one in questions if one["classification"] == "loop")["learning"]
    assert told["steps"] == learning["steps"]
    assert (told["options"], told["shown"][:2]) == ([["has a loop"], ["no loop"]], [0, 1])
    for name, part in told["parts"].items():
        assert part["frames"] == learning[name]["rows"]
        for step, matrix in enumerate(part["confusion"]):
            assert np.trace(matrix) / part["frames"] == pytest.approx(learning[name]["accuracy"][step], abs=1e-4)
            f1 = [value or 0.0 for value in part["f1"][step]]
            assert np.mean(f1) == pytest.approx(learning[name]["macro_f1"][step], abs=1e-4)
    with pytest.raises(BadRequest, match="so there are no steps"):
        asked(trained, "step_figures", classification="weather")


def test_points_of_a_curve_know_their_cutoff(trained: Any) -> None:
    line, mark = asked(trained, "drawn", option=["no loop"])["figures"]["precision_recall"]["data"]
    assert len(line["x"]) == len(line["y"]) == len(line["customdata"])
    cutoffs = [cutoff for cutoff in line["customdata"] if cutoff is not None]
    assert cutoffs == sorted(cutoffs, reverse=True)
    assert list(line["x"]) == sorted(line["x"])
    assert len(mark["x"]) == 1
    assert asked(trained, "drawn")["figures"]["precision_recall"]["data"][1]["x"] == [], "all together have no cutoff"


def test_scores_count_to_the_figures_of_cutoffs_chosen_by_hand(trained: Any) -> None:
    by_hand = {"strategy": "by_hand", "value": 0.7}
    asked(trained, "set_cutoffs", policy={"classifications": {"loop": by_hand}})
    told, measured = asked(trained, "scores"), question(trained)
    assert told["cutoffs"] == [0.7, 0.7]
    assert told["frames"] == told["of"] == measured["rows"]
    answered = [[option for option, score in one if score >= 0.7] for one in told["candidates"]]
    assert sum(map(bool, answered)) / told["frames"] == pytest.approx(measured["coverage"])
    for column, option in enumerate(measured["options"]):
        given = [column in one for one in answered]
        holds = [column in one for one in told["holds"]]
        assert (sum(given), sum(holds)) == (option["answered"], option["positives"])
        assert sum(a and b for a, b in zip(given, holds, strict=True)) == option["right"]


def test_what_is_not_there_is_said_in_words(trained: Any) -> None:
    with pytest.raises(BadRequest, match="nothing was learned about 'Colour', only about loop"):
        asked(trained, "drawn", classification="Colour")
    with pytest.raises(BadRequest, match="has learned no option 'round'; there are has a loop, no loop"):
        asked(trained, "drawn", option=["round"])
    with pytest.raises(BadRequest, match="nothing was learned about 'Colour'"):
        asked(trained, "scores", classification="Colour")
    assert asked(trained, "learning")["figure"] is None, "nothing was fine-tuned"


def test_a_fine_tuning_is_drawn_as_far_as_it_is() -> None:
    assert drawing.tuning([]) is None
    curves = [
        {"step": 0, "epoch": 0.0, "validation_loss": 1.0, "macro_f1": 0.1},
        {"step": 8, "epoch": 1.0, "train_loss": 0.5, "validation_loss": 0.75, "macro_f1": 0.5},
    ]
    figure = drawing.tuning(curves)
    assert figure is not None
    lines = {line["name"]: line for line in figure["data"]}
    assert lines["loss, train"]["y"] == [None, 0.5]
    assert lines["F1"]["x"] == [0, 8]


def test_of_many_options_the_most_confused_are_drawn_and_names_are_no_markup() -> None:
    count = 100
    matrix = np.diag(np.full(count + 1, 5))
    matrix[60, 70] = 9
    options = [[f"<b>{number}</b>"] for number in range(count)]
    (heat,) = drawing.confusion(matrix.tolist(), options)["data"]
    shown = [row[0][0] for row in heat["customdata"]]
    assert len(shown) == drawing.MOST_CELLS + 1
    assert {"<b>60</b>", "<b>70</b>", ""} <= set(shown)
    assert "<" not in "".join(row[0][2] for row in heat["customdata"])
