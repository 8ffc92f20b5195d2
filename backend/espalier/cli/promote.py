"""`espalier promote | rollback | archive`: which version serves, by hand, and room for new ones."""

from __future__ import annotations

import click

from ..jobs import archiving, promotion
from ..jobs.last_version import last_version
from .door import main
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import counted


@main.command()
@click.argument("project")
@click.argument("version")
@click.option("--reason", default="", help="Why; kept with the promotion.")
@click.option("--last", is_flag=True, help="Of a fine-tuned version the last network, instead of the best one.")
def promote(project: str, version: str, reason: str, last: bool) -> None:
    """Let VERSION of PROJECT serve from now on, whatever the promotion gate said of it.

    `espalier versions PROJECT` lists what there is; `espalier rollback PROJECT` takes it back.
    """
    with opened() as house:
        found = find_project(house, project)
        if last:
            with MeteredProgress("the last network") as progress:
                version = last_version(house, found.key, version, progress).name
        promoted = promotion.promote(house, found.key, version, reason=reason)
    instead = f" instead of {found.served}" if found.served not in (None, version) else ""
    click.echo(f"{promoted.name} serves now{instead}")
    if promoted.gate.get("promote") is False:
        for why in promoted.gate.get("reasons", ()):
            click.secho(f"   note  the gate had refused it: {why}", fg="yellow")


@main.command()
@click.argument("project")
@click.option("--reason", default="", help="Why; kept with the promotion.")
def rollback(project: str, reason: str) -> None:
    """Let the version serve again that served before in PROJECT; called again, the one before that.

    Nothing is deleted, and its predictions are the same as they were.
    """
    with opened() as house:
        found = find_project(house, project)
        version = promotion.roll_back(house, found.key, reason=reason)
    click.echo(f"{version.name} serves now instead of {found.served}")


@main.command()
@click.argument("project")
@click.option(
    "--keep",
    default=archiving.KEPT,
    show_default=True,
    help="How many of the newest versions keep their files, and how many of those that served last.",
)
def archive(project: str, keep: int) -> None:
    """Remove the files of old model versions of PROJECT. What is known of them (metrics, gate) stays.

    Every training does so by itself. The version that serves is kept, and what a run goes by.
    """
    with opened() as house:
        gone = archiving.archive(house, find_project(house, project).key, keep=keep)
    click.echo(f"the files of {counted(len(gone), 'version')} were removed" if gone else "nothing to remove")
    for version in gone:
        click.echo(f"    {version.name}")
