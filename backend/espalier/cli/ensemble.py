"""`espalier ensemble`: several versions as one."""

from __future__ import annotations

import click

from ..jobs.ensembling import ensemble as make
from .door import main
from .opened import opened
from .project import find_project
from .versions import lines_of


@main.command()
@click.argument("project")
@click.argument("versions", nargs=-1, required=True)
def ensemble(project: str, versions: tuple[str, ...]) -> None:
    """Make one version of several VERSIONS of PROJECT: their logits are averaged, question by question.

    It takes as long to predict as all of them, so it serves only if the promotion gate finds it better than what does.
    """
    with opened() as house:
        found = find_project(house, project)
        made = make(house, found.key, versions)
        serving = house.project(found.key).served == made.name
    for line in lines_of(made, serving=serving):
        click.echo(line)
