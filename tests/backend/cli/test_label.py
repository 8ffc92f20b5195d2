"""`espalier label`, as far as it goes without a Label Studio."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Espalier = Callable[..., Result]
ALONG = ("looped digit: 8", "--with-parents")


def test_a_dry_run_says_what_would_be_given_and_what_not(espalier: Espalier, project: str) -> None:
    told = espalier(
        "label", project, *ALONG, "--task", "30", "--task", "31:1", "--task", "32:1-", "--task", "99", "--dry-run"
    )
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "      3  loop: has a loop",
        "      3  looped digit: 8",
        "refused in 1 task: the project has no such task (any more)",
        "         task 99: looped digit: 8",
        "3 predictions in 4 selected tasks",
    ]
    counts = espalier("label", project, *ALONG, "--task", "30", "--as", "annotations", "--dry-run", "--json")
    assert json.loads(counts.stdout)["written"] == 1
    nested = espalier("label", project, '["loop", "no loop"]', "--task", "30", "--dry-run")
    assert "1  loop: no loop" in nested.stdout


def test_hits_come_from_a_file_or_through_the_pipe(espalier: Espalier, project: str, tmp_path: Path) -> None:
    answer = {"hits": [{"id": 1, "task": 30, "tag": "image", "frame": 1}], "query": {"task": 2}}
    (tmp_path / "hits.json").write_text(json.dumps(answer))
    told = espalier("label", project, "loop: no loop", "--from", str(tmp_path / "hits.json"), "--dry-run")
    assert "1 prediction in 1 selected task" in told.stdout
    (tmp_path / "hits.json").write_text("task 30 frame 1")
    told = espalier("label", project, "loop: no loop", "--from", str(tmp_path / "hits.json"), "--dry-run")
    assert "--from takes the JSON that `espalier search --json` prints" in told.output
    told = espalier("label", project, "loop: no loop", "--from", "-")
    assert "nobody can be asked: add --yes, or --dry-run" in told.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("loop: no loop",), "no frames were selected: name at least one task"),
        (("loop: no loop", "--task", "x"), "--task takes ID, ID:FRAME, ID:FIRST-LAST or ID:FIRST-, got 'x'"),
        (("loop: no loop", "--task", "3:9-2"), "task 3: the frames must be first <= last, got 9 to 2"),
        (("[loop", "--task", "3"), "a label that starts with [ is a JSON list"),
        (("loop", "--task", "3"), 'a label must be "Classification: Option"'),
        (("loop: maybe", "--task", "3", "--dry-run"), "'loop' has no option 'maybe'; it has 'has a loop', 'no loop'"),
        (("loop: no loop", "--task", "30"), "no prediction worker is running"),
        (("loop: no loop", "--task", "30", "--here", "--yes"), "this needs a Label Studio token that works"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    espalier: Espalier, project: str, arguments: tuple[str, ...], says: str
) -> None:
    told = espalier("label", project, *arguments)
    assert told.exit_code == 1
    assert says in told.output
    assert "Traceback" not in told.output


def test_nothing_is_written_unless_somebody_says_yes(espalier: Espalier, project: str) -> None:
    told = espalier("label", project, "loop: no loop", "--task", "30", "--here")
    assert "write 1 prediction?" in told.output
    assert told.exit_code == 1
    assert "no run yet" in espalier("runs", project).output
