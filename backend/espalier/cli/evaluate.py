"""`espalier evaluate`: how good a version is, figure by figure."""

from __future__ import annotations

import json

import click

from ..jobs.evaluating import evaluation_of
from ..judging.judged import JUDGED_PARTS
from .door import main
from .evaluation_tables import part_tables
from .opened import opened
from .project import find_project
from .table import counted

_WORDS = {
    "train": "frames that it learned from, which flatter",
    "validation": "frames for choosing by, scored by what had not seen them",
    "test": "frames kept for a test: nothing was learned or chosen on them",
    "cross": "all frames for learning and choosing, each scored by what had not seen it or its like",
}


@main.command()
@click.argument("project")
@click.argument("version", required=False)
@click.option(
    "--part",
    type=click.Choice(JUDGED_PARTS),
    help="Which frames to judge on; by default those kept for a test, and all others (cross) where there are none.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything, of every part, for programs.")
def evaluate(project: str, version: str | None, part: str | None, as_json: bool) -> None:
    """How good VERSION of PROJECT is; without VERSION, the one that serves.

    Accuracy is of the best option, whatever its confidence; precision, recall, F1 and the table of what was taken for
    what are by the cutoffs in force. Ranges in brackets hold the true figure with 95 %: they are found by drawing media
    anew, not frames.
    """
    with opened() as house:
        found = find_project(house, project)
        row = house.version(found, version)
        summary = evaluation_of(house, found, row).summary
    if as_json:
        click.echo(json.dumps({"version": row.name, **summary}, indent=1))
        return
    shown = part or ("test" if summary["parts"]["test"]["rows"] else "cross")
    click.echo(f"{row.name} on {counted(summary['parts'][shown]['rows'], 'frame')}: {_WORDS[shown]}")
    for line in part_tables(summary, shown):
        click.echo(line)
