"""`espalier labels`: what there is to learn from, before anything is started."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import click

from ..jobs.label_counts import label_counts
from ..labeling.label_counts import LabelCounts, OptionCounts, QuestionCounts
from ..learning.parts import PARTS
from .door import main
from .opened import opened
from .project import find_project
from .table import columns


@main.command()
@click.argument("project")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def labels(project: str, as_json: bool) -> None:
    """How often each option of PROJECT (its id in Label Studio) is answered, and what is doubtful in that.

    Nothing is downloaded or trained. What `espalier train` was told to choose (--filter, --val-task and others) is
    heeded; columns for train, validation and test stand there where people chose them, and not chance.
    """
    with opened() as house:
        counts = label_counts(house, find_project(house, project))
    if as_json:
        click.echo(json.dumps(counts.to_json(), indent=1))
        return
    for line in lines_of(counts):
        click.echo(line)
    show_doubts(counts)


def lines_of(counts: LabelCounts) -> list[str]:
    """One line per option, below a line for its classification."""
    options = [option for question in counts.questions for option in question.options]
    if not options:
        return ["the labeling configuration asks nothing that can be learned"]
    parts = PARTS if any(option.parts for option in options) else ()
    per_frame = any(option.frames != option.media for option in options)
    numbers = ("media", "frames") if per_frame else ("images",)
    head = ["", *numbers, "without", *parts, ""]
    rows = [row for question in counts.questions for row in _rows(question, numbers, parts)]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return columns(
        [
            [row[0], *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)), row[-1]]
            for row in [head, *rows]
        ]
    )


def show_doubts(counts: LabelCounts) -> None:
    """The warnings, and what is left out."""
    for warning in counts.warnings:
        click.secho(f"warning: {warning}", fg="yellow")
    for sentence in counts.left_out:
        click.echo(f"left out: {sentence}")


def _rows(question: QuestionCounts, numbers: Sequence[str], parts: Sequence[str]) -> Iterator[list[str]]:
    reason = f"not learned: {question.reason}" if question.reason else ""
    yield [question.name, *([""] * (len(numbers) + 1 + len(parts))), reason]
    shown = list(question.options)
    if question.background:
        shown.append(OptionCounts(("(none of these)",), question.background, question.background))
    for option in shown:
        frames = [str(option.media), str(option.frames)][-len(numbers) :]
        chosen = [str(option.parts[part]) if part in option.parts else "" for part in PARTS if part in parts]
        yield [f"  {option.name}", *frames, str(option.frames_without or ""), *chosen, ""]
