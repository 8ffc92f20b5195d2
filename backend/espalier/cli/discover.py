"""`espalier discover`: classes that the frames which no answer fits suggest."""

from __future__ import annotations

from typing import Any

import click

from .asked import answer_to, echo_members, place
from .door import main
from .linked import echo_linked
from .listing import link
from .opened import opened
from .project import find_project
from .search import conditions_of, with_conditions
from .table import counted

_TYPICAL = 5


@main.command()
@click.argument("project")
@click.option("--classification", help="Which one may need an option more; the first that people answered.")
@click.option("--sure", type=click.FloatRange(0, 1), help="Known is what the version answers with this confidence.")
@with_conditions
@click.option("--k", default=5, show_default=True, type=click.IntRange(1, 50), help="How many proposals.")
@click.option("--proposal", type=click.IntRange(1), help="All frames of this one, for `espalier label --from`.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def discover(
    project: str,
    classification: str | None,
    sure: float | None,
    k: int,
    proposal: int | None,
    here: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """New classes for PROJECT (its id in Label Studio): frames like each other and like nothing that is labeled.

    The likeliest first, each with its most typical frames. To take one up: add the option to the labeling
    configuration, and `espalier label` the frames that `--proposal N --json` prints.
    """
    request = {"conditions": conditions_of(given), "k": max(k, proposal or 1), "members": proposal is not None}
    asked = {"classification": classification, "sure": sure}
    request |= {name: value for name, value in asked.items() if value is not None}
    with opened() as house:
        found = find_project(house, project)
        answer = answer_to(house, found, "discover", request, here=here)
        told = answer["proposals"]
        if proposal is not None:
            echo_members(house, found, told, proposal, "proposal", as_json=as_json)
            return
        if as_json:
            echo_linked(house, found, answer)
            return
        for number, one in enumerate(told, 1):
            nearest = one["nearest"]
            next_to = f", nearest {nearest['name']} ({nearest['likeness']:.2f})" if nearest else ""
            click.echo(
                f"{number}: {counted(one['size'], 'frame')}, new {one['strangeness']:.0%}, "
                f"alike {one['cohesion']:.0%}{next_to}"
            )
            for hit in one["hits"][:_TYPICAL]:
                click.echo(f"     {place(hit)}  {link(house, found, hit['task'])}")
    frames = counted(answer["unknown"], "frame")
    click.echo(f"{answer['classification']}: {frames} unknown, {answer['known']} labeled", err=True)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)
