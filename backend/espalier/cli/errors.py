"""`espalier errors`: which annotations to look at again."""

from __future__ import annotations

import click

from ..store.rows import RunKind
from .door import main
from .listing import show_or_write


@main.command()
@click.argument("project")
@click.option("--count", default=50, show_default=True, type=click.IntRange(1), help="How many tasks at most.")
@click.option("--revisit", is_flag=True, help="Those of `espalier revisit` instead: in doubt since the labels changed.")
@click.option("--write", is_flag=True, help="Write the list to Label Studio, where sorting by score goes by it.")
@click.option("--here", is_flag=True, help="Write in this process instead of asking a running worker.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def errors(project: str, count: int, revisit: bool, write: bool, here: bool, as_json: bool) -> None:
    """The annotations of PROJECT (its id in Label Studio) that are likely wrong, the worst first.

    Judged by models that had not seen them. The number is the quality of the label, 0 to 1. With --write, Label Studio
    shows beside each annotation what the model would say; no annotation is touched, and `espalier undo` takes the
    list back.
    """
    kind: RunKind = "revisit" if revisit else "errors"
    show_or_write(kind, project, count, write=write, here=here, as_json=as_json)
