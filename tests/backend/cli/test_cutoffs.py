"""coverage and cutoffs on a real project: what they print, what they change, and what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
def trained(espalier: Any, project: str) -> str:
    assert espalier("train", project, "--here").exit_code == 0
    return project


def test_coverage_is_told_in_sentences(espalier: Any, trained: str) -> None:
    result = espalier("coverage", trained)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("espalier-v1, checked on ")
    assert {"everything under one cutoff", "loop", "looped digit", "open digit"} <= set(lines)
    assert any(line.startswith("  90 %  ") for line in lines)
    assert "loop / no loop" not in lines
    one = espalier("coverage", trained, "espalier-v1", "--classification", "loop", "--per-class", "--precision", "0.6")
    assert {"loop", "loop / has a loop", "loop / no loop"} <= set(one.output.splitlines())
    assert "open digit" not in one.output
    assert "of the frames are labeled for you" in one.output
    table = json.loads(espalier("coverage", trained, "--json").output)
    assert table["version"] == "espalier-v1"
    assert table["targets"] == [0.9, 0.95, 0.98, 0.99]


def test_cutoffs_are_shown_set_and_taken_back(espalier: Any, trained: str) -> None:
    shown = espalier("cutoffs", trained)
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines[0] == "espalier-v1 answers by these cutoffs"
    assert lines[1].split() == ["cutoff", "chosen", "by", "precision", "recall", "coverage"]
    assert "default" in next(line for line in lines if line.startswith("loop / no loop"))

    changed = espalier("cutoffs", trained, "--all", "0.9", "--set", "loop/no loop=0.3")
    assert changed.exit_code == 0, changed.output
    assert "espalier-v1 answers by these cutoffs now" in changed.output
    loop = next(line for line in changed.output.splitlines() if line.startswith("loop / no loop"))
    assert "> 0.30  hand" in loop
    now = json.loads(espalier("cutoffs", trained, "--json").output)
    assert now["policy"]["default"] == {"strategy": "by_hand", "value": 0.9}
    assert {figure["cutoff"] for figure in now["figures"]} == {0.3, 0.9}

    strict = espalier("cutoffs", trained, "--precision", "0.99", "--classification", "looped digit")
    assert "never answered, for no cutoff keeps that promise yet: looped digit / 0" in strict.output
    assert "precision 99 %: not yet" in strict.output
    back = json.loads(espalier("cutoffs", trained, "--reset", "--json").output)
    assert back["policy"] == {}
    assert back["metrics"]["parts"]
    assert espalier("cutoffs", trained).output == shown.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--all", "0.8", "--best-f1"), "choose one of --best-f1, --precision, --all and --reset"),
        (("--all", "1.8"), "must be within 0 and 1, got 1.8"),
        (("--precision", "98"), "must be above 0 and below 1, got 98"),
        (("--set", "loop"), "--set takes `classification/option=cutoff`, like 'Weather/Rain=0.7', got 'loop'"),
        (("--set", "loop/high=0.7"), "'loop/high' is no `classification/option`; classifications are loop"),
        (("--all", "0.8", "--classification", "lop"), "there is no classification 'lop'"),
    ],
)
def test_what_is_wrong_is_said_in_words(espalier: Any, project: str, arguments: tuple[str, ...], says: str) -> None:
    result = espalier("cutoffs", project, *arguments)
    assert result.exit_code == 1
    assert says in result.output


def test_before_a_version_serves(espalier: Any, project: str) -> None:
    assert espalier("cutoffs", project).output.startswith("no model version yet")
    assert espalier("cutoffs", project, "--all", "0.8").output == "kept; it holds as soon as a model version serves\n"
    assert "has no model version" in espalier("coverage", project).output


def test_coverage_of_what_is_not_there_is_refused(espalier: Any, trained: str) -> None:
    assert (
        "espalier-v1 has no classification 'x'; it has loop"
        in espalier("coverage", trained, "--classification", "x").output
    )
    assert "must be above 0 and below 1, got 95" in espalier("coverage", trained, "--precision", "95").output
