"""Answers of the search for programs: every hit in them with its link to Label Studio."""

from __future__ import annotations

import json
from typing import Any

import click

from ..jobs.house import House
from ..store.rows import Project
from .listing import link


def echo_linked(house: House, project: Project, answer: dict[str, Any]) -> None:
    """Prints it as JSON."""
    click.echo(json.dumps(linked(house, project, answer), indent=1))


def linked(house: House, project: Project, value: Any) -> Any:
    """The same, with a `link` in whatever is shown by a task; columns of a map stay as they are."""
    if isinstance(value, list):
        return [linked(house, project, one) for one in value]
    if not isinstance(value, dict):
        return value
    told = {name: linked(house, project, one) for name, one in value.items()}
    if isinstance(value.get("task"), int) and "id" in value:
        told["link"] = link(house, project, value["task"])
    return told
