"""`espalier versions`: what was trained, on what, how well, and what is still missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from ..store.rows import ModelVersion
from .door import main
from .opened import opened
from .project import find_project
from .table import columns, counted, moment

_LISTED = 8
"""Names of options that one line holds."""


@main.command()
@click.argument("project")
@click.option("--details", is_flag=True, help="Each classification of every version, not only of the one that serves.")
def versions(project: str, details: bool) -> None:
    """The model versions of PROJECT, the newest first.

    Below the one that serves stands a line for each classification: accuracy and macro-F1 on frames that its model had
    not seen, how many frames people answered, and which options nobody has answered yet.
    """
    with opened() as house:
        found = find_project(house, project)
        rows = house.records.versions(found.key)
    if not rows:
        click.echo("no model version yet: label a few frames with at least two different options")
    for row in rows:
        serving = row.name == found.served
        for line in lines_of(row, serving=serving, details=details or serving):
            click.echo(line)


def lines_of(version: ModelVersion, *, serving: bool, details: bool = True) -> Iterator[str]:
    """One line about a version, and with `details` one for each of its classifications."""
    state = "serves" if serving else version.state
    reason = str(version.encoder.get("reason", ""))
    message = version.message.replace(f" ({reason})", "") if reason else version.message
    yield f"{version.name:<14}{state:<10}{moment(version.created_at)}  {message}"
    if not details:
        return
    questions = version.metrics.get("questions", [])
    yield from (f"    {line}" for line in columns([_row(question) for question in questions]))
    for note in dict.fromkeys(note for question in questions for note in question.get("notes", ())):
        yield f"    note: {note}"


def _row(question: Mapping[str, Any]) -> tuple[str, str]:
    name = " / ".join((question["classification"], *question["parent"]))
    if not question["trained"]:
        return name, f"not trained: {question['reason']}"
    measured = f"accuracy {question['accuracy']:4.0%}  macro-F1 {question['macro_f1']:4.0%}"
    unanswered = [" / ".join(option["path"]) for option in question["options"] if not option["count"]]
    missing = f"; nobody has answered: {_listed(unanswered)}" if unanswered else ""
    return name, f"{measured}  {counted(int(question['rows']), 'frame')}{missing}"


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
