"""next, errors and quality on a real project, with no worker and no Label Studio about."""

from __future__ import annotations

import json
from typing import Any

import pytest


def test_what_to_label_next_is_printed_with_reasons_and_links(espalier: Any, project: str) -> None:
    shown = espalier("next", project, "--count", "3", LABEL_STUDIO_URL="http://studio.example:8080/")
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert len(lines) == 4
    assert all("typical: " in line for line in lines[:3])
    task = lines[0].split()[1]
    assert lines[0].endswith(f"http://studio.example:8080/projects/1/data?task={task}")
    assert lines[3] == "chosen from 12 of 12 unlabeled tasks by what is typical, for there is no model yet"
    told = json.loads(espalier("next", project, "--count", "3", "--json").output)
    assert [str(entry["task_id"]) for entry in told["entries"]] == [line.split()[1] for line in lines[:3]]


def test_errors_are_of_the_version_that_serves(espalier: Any, project: str) -> None:
    before = espalier("errors", project)
    assert before.exit_code == 1
    assert "has no model version" in before.output
    assert espalier("train", project, "--here").exit_code == 0
    found = espalier("errors", project)
    assert found.exit_code == 0, found.output
    assert "24 tasks that espalier-v1 has learned from" in found.output
    told = json.loads(espalier("errors", project, "--json").output)
    assert all(entry["mislabeling"] == pytest.approx(1 - entry["score"]) for entry in told["entries"])
    assert espalier("errors", project, "--revisit").output == "nothing to list\n"


@pytest.mark.parametrize("command", ["next", "errors"])
def test_writing_needs_a_worker_and_a_token(espalier: Any, project: str, command: str) -> None:
    assert "no prediction worker is running" in espalier(command, project, "--write").output
    result = espalier(command, project, "--write", "--here")
    assert result.exit_code == 1
    assert "Personal Access Token" in result.output


def test_quality_is_told_in_counts(espalier: Any, project: str) -> None:
    shown = espalier("quality", project, "--count", "1")
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines[0] == "36 tasks, 36 pictures looked at"
    assert lines[1] == "the same picture: 0 groups, 0 tasks to spare"
    assert any(line.startswith("poor pictures: ") for line in lines)
    told = json.loads(espalier("quality", project, "--json").output)
    assert told["tasks"] == 36
    assert all(entry["link"].endswith(f"/projects/1/data?task={entry['task_id']}") for entry in told["poor"])
