"""`espalier ontology set`: which plugin answers a classification, and how."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from ..classification_settings import KNOWN
from ..errors import BadRequest
from ..jobs.classification_settings import choose, in_force
from .opened import opened
from .project import find_project
from .table import columns


@click.command("set")
@click.argument("project")
@click.argument("classification", required=False)
@click.argument("settings", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--unset", "taken_back", multiple=True, metavar="NAME", help="Take back what was chosen here.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def set_command(
    project: str, classification: str | None, settings: Sequence[str], taken_back: Sequence[str], as_json: bool
) -> None:
    """Choose for one CLASSIFICATION of PROJECT its plugin, score_threshold or negatives; without any, list them.

    As in `espalier ontology set 1 Weather plugin=dynamic`. What is chosen here comes before `espalier.yaml`, and that
    before the labeling configuration. A training is asked for; no restart is needed.
    """
    given = dict(_pair(text) for text in settings)
    with opened() as house:
        found = find_project(house, project)
        if classification is not None and (given or taken_back):
            found = choose(house, found, classification, given, taken_back)
        told = [one for one in in_force(house, found) if classification in (None, one.classification)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in told], indent=1))
        return
    rows = [(one.classification, one.name.removeprefix("model_"), one.value, f"({one.origin})") for one in told]
    usual = ", ".join(f"{name.removeprefix('model_')}: {what}" for name, what in KNOWN.items())
    for line in columns(rows) or [f"nothing is chosen; there are {usual}"]:
        click.echo(line)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadRequest(f"settings are written name=value, as in plugin=dynamic; got {text!r}")
    return name.strip(), value
