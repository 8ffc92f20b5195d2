"""`espalier next`: which tasks to label next."""

from __future__ import annotations

import click

from .door import main
from .listing import show_or_write


@main.command("next")
@click.argument("project")
@click.option("--count", default=50, show_default=True, type=click.IntRange(1), help="How many tasks.")
@click.option("--write", is_flag=True, help="Write the list to Label Studio, where sorting and sampling go by it.")
@click.option("--here", is_flag=True, help="Write in this process instead of asking a running worker.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def next_(project: str, count: int, write: bool, here: bool, as_json: bool) -> None:
    """The unlabeled tasks of PROJECT (its id in Label Studio) that teach a model most, the first one first.

    They are those that the model is least sure of, unlike each other and unlike what is labeled; before there is a
    model, typical ones of every kind. With --write, Label Studio hands them out in this order where its task sampling
    is "Uncertainty sampling", and sorts by it; `espalier undo` takes the list back.
    """
    show_or_write("next", project, count, write=write, here=here, as_json=as_json)
