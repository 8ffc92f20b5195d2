"""`espalier embed | search | similar`: what is found is said with its link, and as JSON for the next command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from espalier.cli import main
from espalier.cli.asked import frames_named
from espalier.errors import BadRequest

Espalier = Callable[..., Result]


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def embedded(espalier: Espalier, project: str) -> str:
    assert "36 tasks: 36 frames embedded now, 0 were there already" in said(espalier("embed", project))
    return project


def test_embedding_again_finds_all_there(espalier: Espalier, embedded: str) -> None:
    told = json.loads(said(espalier("embed", embedded, "--json")))
    assert (told["frames"], told["held"], told["problems"]) == (0, 36, [])


def test_similar_frames_are_listed_with_what_is_said_of_them(espalier: Espalier, embedded: str) -> None:
    lines = said(espalier("similar", embedded, "1", "--k", "3", LABEL_STUDIO_URL="http://studio")).splitlines()
    assert len([line for line in lines if line.startswith("task ")]) == 3
    assert "http://studio/projects/1/data?task=" in lines[0]
    assert "36 of 36 frames searched (exact)" in lines[-1]
    assert not any(line.startswith("task 1 ") for line in lines)


def test_conditions_hold(espalier: Espalier, embedded: str) -> None:
    def tasks(*options: str) -> set[int]:
        answer = json.loads(said(espalier("search", embedded, "--like", "30", "--k", "100", "--json", *options)))
        return {hit["task"] for hit in answer["hits"]}

    assert tasks("--labeled") == set(range(1, 25))
    assert tasks("--unlabeled", "--itself") == set(range(25, 37))
    assert tasks("--tasks", "3,5-7") == {3, 5, 6, 7}
    assert tasks("--media", "video") == set()


def test_json_says_what_was_asked_so_that_labels_can_be_given_to_it(espalier: Espalier, embedded: str) -> None:
    answer = json.loads(said(espalier("search", embedded, "--like", "1", "--like", "2", "--unlike", "3:1", "--json")))
    assert answer["query"]["positives"] == [{"task": 1}, {"task": 2}]
    assert answer["query"]["negatives"] == [{"task": 3, "frame": 1}]
    assert answer["k"] == len(answer["hits"]) == 20
    assert {"task", "tag", "frame", "score", "labels", "link"} <= answer["hits"][0].keys()


def test_a_picture_from_a_file_is_found_and_its_copy_removed(
    espalier: Espalier, embedded: str, tmp_path: Path, data_dir: Path
) -> None:
    picture = next(iter(sorted((tmp_path / "digits").glob("*.png"))))
    answer = json.loads(said(espalier("search", embedded, "--picture", str(picture), "--k", "1", "--json")))
    assert answer["hits"][0]["score"] == pytest.approx(1, abs=1e-3)
    assert list((data_dir / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "1"], "say what to search for"),
        (["search", "1", "--like", "1", "--text", "x"], "say what to search for"),
        (["search", "1", "--unlike", "1"], "say what to search for"),
        (["search", "1", "--like", "first"], "--like takes TASK, TASK:FRAME"),
        (["search", "1", "--text", "a loop"], "knows no words"),
        (["search", "1", "--like", "99"], "project 1 has no task 99"),
        (["search", "1", "--like", "1", "--tasks", "a"], "--tasks takes ids like 12,13,20-40"),
        (["search", "1", "--like", "1", "--label", "mood: bad"], "there is no classification 'mood'"),
        (["similar", "2", "1"], "project '2' is not connected"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_searched_for_is_one_line(
    espalier: Espalier, embedded: str, arguments: list[str], words: str
) -> None:
    result = espalier(*arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12", {"task": 12}),
        ("12:34", {"task": 12, "frame": 34}),
        ("12:34-80", {"task": 12, "first": 34, "last": 80}),
        ("12:34-", {"task": 12, "first": 34}),
    ],
)
def test_frames_are_named_as_for_labels(text: str, meant: dict[str, Any]) -> None:
    assert frames_named(text, "--like") == meant


@pytest.mark.parametrize("text", ["", "a", "12:", "12-13", "12:3-2-1", "-1"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="--like takes"):
        frames_named(text, "--like")


def test_the_commands_are_listed_under_find() -> None:
    listed = CliRunner().invoke(main, ["--help"]).output.partition("Find:")[2]
    assert [name for name in ("search", "similar", "embed") if f"\n  {name}" in listed] == [
        "search",
        "similar",
        "embed",
    ]
