"""`espalier explain`: where in a frame a version sees an option."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import BadRequest
from ..jobs.explaining import METHODS
from ..jobs.explaining import explain as explain_frame
from .door import main
from .opened import opened
from .option_names import split
from .project import find_project


@main.command()
@click.argument("project")
@click.argument("task", type=int)
@click.option("--to", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The PNG file to write.")
@click.option("--frame", type=click.IntRange(min=1), default=1, help="As Label Studio counts, from 1.")
@click.option("--classification", help="Of which question; the first one by default.")
@click.option("--option", help="Of which answer (Animal/Cat for a nested one); the most likely one by default.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="auto",
    show_default=True,
    help="auto takes grad-cam where the encoder has it, else occlusion.",
)
@click.option("--version", help="A version by name; the one that serves by default.")
def explain(
    project: str,
    task: int,
    to: Path,
    frame: int,
    classification: str | None,
    option: str | None,
    method: str,
    version: str | None,
) -> None:
    """Write a heat map over a frame of TASK of PROJECT: bright yellow is where the answer comes from.

    grad-cam and attention show what speaks for the option, eigen-cam where the network looks at all, whatever the
    option. occlusion covers parts of the picture and sees what the option loses: it is slower, and works with every
    encoder.
    """
    path = tuple(part.replace("\\/", "/") for part in split(option, "/")) if option else ()
    with opened() as house:
        found = explain_frame(
            house,
            find_project(house, project),
            task,
            frame=frame,
            classification=classification,
            option=path,
            method=method,
            version=version,
        )
    try:
        to.write_bytes(found.png())
    except OSError as error:
        raise BadRequest(f"{to} cannot be written: {error.strerror or error}") from error
    answer = " / ".join(found.option)
    click.echo(f"{to}: {found.classification} = {answer} ({found.score:.0%}), by {found.method}, {found.version}")
