"""train, versions, run, runs, undo and ontology on a real project, with no worker and no Label Studio about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.jobs import valkey


def test_trained_here_told_and_tried(espalier: Any, project: str, data_dir: Path) -> None:
    trained = espalier("train", project, "--here")
    assert trained.exit_code == 0, trained.output
    told = espalier("versions", project).output.splitlines()
    assert told[0].startswith("espalier-v1   serves")
    assert told[0].endswith("trained on 24 annotated media with classic")
    assert [line.split("accuracy")[0].strip() for line in told[1:4]] == ["loop", "looped digit", "open digit"]
    assert all("macro-F1" in line and "frames" in line for line in told[1:4])

    counted = espalier("run", project, "--dry-run", "--filter", "unlabeled")
    assert counted.exit_code == 0, counted.output
    assert "of 12 tasks answered, 12 frames" in counted.output
    assert "loop: no loop" in counted.output
    assert not valkey.is_running(data_dir), "no server is left behind"


@pytest.mark.parametrize("arguments", [("train", "1"), ("run", "1")])
def test_without_a_worker_nothing_waits_for_ever(espalier: Any, project: str, arguments: tuple[str, ...]) -> None:
    result = espalier(*arguments)
    assert result.exit_code == 1
    assert "worker is running: start `espalier serve`, or add --here" in result.output


def test_a_run_needs_a_version_and_a_token(espalier: Any, project: str) -> None:
    assert "has no model version" in espalier("run", project, "--here").output
    assert espalier("train", project, "--here").exit_code == 0
    result = espalier("run", project, "--here")
    assert result.exit_code == 1
    assert "Personal Access Token" in result.output


def test_before_anything_is_labeled_it_says_so(espalier: Any, project: str, data_dir: Path) -> None:
    assert espalier("versions", project).output.startswith("no model version yet: label a few frames")
    assert espalier("runs", project).output == "no run yet\n"


def test_wrong_names_are_answered_with_the_right_ones(espalier: Any, project: str) -> None:
    assert "project '7' is not connected; connected: 1 (Digits)" in espalier("versions", "7").output
    assert "there is no run 'x'" in espalier("undo", "x").output
    assert "there is no run 'x'" in espalier("cancel", "x").output


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--confidence", "3", "must be within [0, 1]"),
        ("--confidence-of", "loop", "--confidence-of takes CLASSIFICATION=CUTOFF"),
        ("--confidence-of", "loop=high", "--confidence-of takes CLASSIFICATION=CUTOFF"),
        ("--filter", "nice", "filter must be one of all, unlabeled"),
        ("--first", "0", "1 <= first <= last"),
    ],
)
def test_wrong_values_are_refused_in_words(espalier: Any, project: str, option: str, value: str, says: str) -> None:
    result = espalier("run", project, "--dry-run", option, value)
    assert result.exit_code == 1
    assert says in result.output


def test_a_directory_where_nothing_is_kept_stays_empty(espalier: Any, data_dir: Path) -> None:
    result = espalier("versions", "1")
    assert result.exit_code == 1
    assert "nothing is kept in" in result.output
    assert not data_dir.exists()


def test_an_ontology_is_shown_from_a_project_or_a_file(espalier: Any, project: str, tmp_path: Path) -> None:
    shown = espalier("ontology", "show", project)
    assert "looped digit: single, per media  (only where loop is has a loop)" in shown.output
    file = tmp_path / "config.xml"
    file.write_text(
        '<View><Image name="i" value="$i"/><Choices name="c" toName="i"><Choice value="ok"/></Choices></View>'
    )
    assert espalier("ontology", "show", str(file)).output.startswith("c: single, per media")
    linted = espalier("ontology", "lint", project)
    assert (linted.exit_code, linted.output) == (0, "nothing doubtful\n")
    assert "neither a project id nor a file" in espalier("ontology", "show", "nowhere.xml").output


def test_plugins_and_settings_are_listed(espalier: Any, data_dir: Path) -> None:
    lines = espalier("plugins").output.splitlines()
    assert any(line.split()[:2] == ["encoder", "classic"] for line in lines)
    shown = espalier("settings", LABEL_STUDIO_API_KEY="hunter2").output
    assert f"ESPALIER_DATA_DIR or MODEL_DIR  (data_dir in espalier.yaml) = {data_dir}" in shown
    assert "hunter2" not in shown
