"""`espalier revisit`: answers that somebody should look at again, since the ontology changed under them."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from ..errors import BadRequest
from ..jobs.revisit import link, refresh
from .door import main
from .opened import opened
from .project import find_project
from .table import columns, counted, moment


@main.command()
@click.argument("project")
@click.option(
    "--done", "done", type=int, multiple=True, metavar="TASK", help="This task is right as it is; may repeat."
)
@click.option("--all", "every", is_flag=True, help="Those that are settled, too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def revisit(project: str, done: tuple[int, ...], every: bool, as_json: bool) -> None:
    """Answers of PROJECT that need another look, and why.

    An answer with an option that was split is not learned from until somebody has chosen one of the new options. It
    leaves the list by itself when its annotation is updated in Label Studio. With --done it leaves the list as it is.
    """
    with opened() as house:
        found = find_project(house, project)
        refresh(house, found)
        if done:
            listed = {entry.task_id for entry in house.records.revisits(found.key, "open")}
            if unknown := set(done) - listed:
                raise BadRequest(f"task {min(unknown)} is not on the list; `espalier revisit {project}` shows it")
            settled = house.records.settle_revisits(found.key, task_ids=done)
            click.echo(f"{counted(settled, 'answer')} settled", err=as_json)
        entries = house.records.revisits(found.key, None if every else "open")
    if as_json:
        rows = [{**asdict(entry), "link": link(found, entry.task_id)} for entry in entries]
        click.echo(json.dumps(rows, default=str, indent=1))
        return
    for line in (
        columns(
            [
                (
                    f"task {entry.task_id}",
                    f"annotation {entry.annotation_id}",
                    "/".join((entry.classification, *entry.option)),
                    entry.reason,
                    *([entry.state, moment(entry.created_at)] if every else []),
                    link(found, entry.task_id),
                )
                for entry in entries
            ]
        )
        if entries
        else ["nothing needs another look"]
    ):
        click.echo(line)
