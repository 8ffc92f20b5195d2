"""`espalier anomalies`: frames unlike the normal ones, beyond a calibrated cutoff."""

from __future__ import annotations

from typing import Any

import click

from .asked import answer_to, lines_of
from .door import main
from .linked import echo_linked
from .opened import opened
from .project import find_project
from .search import conditions_of, with_conditions
from .table import columns


@main.command()
@click.argument("project")
@click.option("--normal", help='Everything is judged by what people labeled so: "Quality: good". One class is enough.')
@click.option(
    "--classification", help="What is answered so is judged by its own class; the first that people answered."
)
@click.option("--share", default=0.01, show_default=True, type=click.FloatRange(0, 1, min_open=True),
              help="Of unseen normal frames, so many would be flagged.")  # fmt: skip
@with_conditions
@click.option("--k", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many to show.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs, and for `espalier label --from`.")
def anomalies(
    project: str,
    normal: str | None,
    classification: str | None,
    share: float,
    k: int,
    here: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Frames of PROJECT (its id in Label Studio) that are unlike the normal ones, or unlike their class.

    A score of 1 is usual for a normal frame; flagged is what lies beyond the cutoff, which --share sets.
    """
    request = {"conditions": conditions_of(given), "k": k, "share": share}
    asked = {"normal": normal, "classification": classification}
    request |= {name: value for name, value in asked.items() if value is not None}
    with opened() as house:
        found = find_project(house, project)
        answer = answer_to(house, found, "anomalies", request, here=here)
        if as_json:
            echo_linked(house, found, answer)
            return
        for line in lines_of(house, found, answer["hits"]):
            click.echo(line)
    rows = [
        (
            one["name"],
            f"{one['normal']} normal",
            f"{one['judged']} judged",
            f"{one['flagged']} beyond {one['cutoff']:.2f}",
        )
        for one in answer["classes"]
    ]
    for line in columns(rows):
        click.echo(line, err=True)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)
