"""`espalier embed`: everything of a project becomes searchable."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from ..search.embedding_all import EVERY_S, embed_project
from .door import main
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import counted

_PROBLEMS_SHOWN = 10


@main.command()
@click.argument("project")
@click.option(
    "--every-s",
    default=EVERY_S,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds between two frames of a video; 0 is every frame.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def embed(project: str, every_s: float, as_json: bool) -> None:
    """Embed every frame of PROJECT (its id in Label Studio), so that all of it can be searched.

    Training and predicting embed what they look at; this does the rest, in this process. What is embedded already is
    not decoded again: stopped (Ctrl+C) and called anew, it goes on. What cannot be read is listed, and left out.
    """
    with opened() as house:
        found = find_project(house, project)
        with MeteredProgress("embed") as progress:
            done = embed_project(house, found, progress, every_s=every_s)
    if as_json:
        click.echo(json.dumps(asdict(done), indent=1))
        return
    for problem in done.problems[:_PROBLEMS_SHOWN]:
        click.secho(f"   note  {problem}", fg="yellow")
    if len(done.problems) > _PROBLEMS_SHOWN:
        click.secho(f"   note  and {len(done.problems) - _PROBLEMS_SHOWN} more", fg="yellow")
    click.echo(
        f"{counted(done.tasks, 'task')}: {counted(done.frames, 'frame')} embedded now, {done.held} were there already"
    )
