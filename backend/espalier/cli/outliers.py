"""`espalier outliers`: the frames that are least, or most, like the others."""

from __future__ import annotations

from typing import Any

import click

from .asked import answer_to, lines_of
from .door import main
from .linked import echo_linked
from .opened import opened
from .project import find_project
from .search import conditions_of, with_conditions


@main.command()
@click.argument("project")
@with_conditions
@click.option("--typical", is_flag=True, help="The most typical ones instead, of different things.")
@click.option("--k", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs, and for `espalier label --from`.")
def outliers(project: str, typical: bool, k: int, here: bool, as_json: bool, **given: Any) -> None:
    """The frames of PROJECT (its id in Label Studio) that are least like the others.

    With --label or --predicted, those of one class are compared with each other.
    """
    request = {"conditions": conditions_of(given), "k": k, "order": "most" if typical else "least"}
    with opened() as house:
        found = find_project(house, project)
        answer = answer_to(house, found, "outliers", request, here=here)
        if as_json:
            echo_linked(house, found, answer)
            return
        for line in lines_of(house, found, answer["hits"]):
            click.echo(line)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)
