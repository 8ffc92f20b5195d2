"""`espalier forecast`: what another hundred labels would buy."""

from __future__ import annotations

import json
from typing import Any

import click

from ..jobs.forecast import Forecast
from ..jobs.forecast import forecast as forecast_now
from .door import main
from .meter import MeteredProgress
from .opened import opened
from .project import find_project


@main.command()
@click.argument("project")
@click.option("--more", type=click.IntRange(min=1), default=100, show_default=True, help="How many labels more.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def forecast(project: str, more: int, as_json: bool) -> None:
    """What more labels would buy PROJECT (its id in Label Studio), and what seems reachable at all.

    Learning curves of what is labeled are drawn on by a power law. The range holds nine of ten outcomes, if the labels
    to come are like those that are there; `espalier next` chooses better ones.
    """
    with opened() as house:
        found = find_project(house, project)
        with MeteredProgress("forecast") as progress:
            rows = forecast_now(house, found, progress, more=more)
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows], indent=1))
        return
    for row in rows:
        click.echo(f"{_named(row)}: {row.rule.sentence()}")


def _named(row: Forecast) -> str:
    return " / ".join((row.key[0], *row.key[1]))


def _plain(row: Forecast) -> dict[str, Any]:
    rule = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in vars(row.rule).items()}
    return {"classification": row.key[0], "parent": list(row.key[1]), **rule, "sentence": row.rule.sentence()}
