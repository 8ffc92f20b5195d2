"""What `espalier next`, `errors` and `revisit` have in common: a list of tasks, shown, or written to Label Studio."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from ..jobs import lists
from ..jobs.house import House
from ..jobs.listing import Entry
from ..store.rows import Project, RunKind
from .following import carry_out, require_worker
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import columns, counted


def show_or_write(kind: RunKind, project: str, count: int, *, write: bool, here: bool, as_json: bool) -> None:
    with opened() as house:
        found = find_project(house, project)
        if write:
            _write(house, found, kind, count, here=here)
            return
        with MeteredProgress(kind) as progress:
            listing = lists.draw(house, found.key, kind, count, progress)
        links = [link(house, found, entry.task_id) for entry in listing.entries]
    if as_json:
        told = listing.to_json()
        entries = [{**entry, "link": to} for entry, to in zip(told["entries"], links, strict=True)]
        click.echo(json.dumps({**told, "entries": entries}, indent=1))
        return
    for line in lines_of(listing.entries, links):
        click.echo(line)
    if listing.note:
        click.echo(listing.note)


def lines_of(entries: Sequence[Entry], links: Sequence[str]) -> list[str]:
    """One line per task, the most urgent first."""
    rows = [
        (f"task {entry.task_id}", f"{entry.score:.3f}", entry.reason, to)
        for entry, to in zip(entries, links, strict=True)
    ]
    return columns(rows) or ["nothing to list"]


def link(house: House, project: Project, task_id: int) -> str:
    """Where the task is opened in Label Studio's Data Manager."""
    url = (house.settings.label_studio_url or project.hostname).rstrip("/")
    return f"{url}/projects/{project.id}/data?task={task_id}"


def _write(house: House, project: Project, kind: RunKind, count: int, *, here: bool) -> None:
    if not here:
        require_worker(house, "prediction")
    planned = lists.plan(house, project.key, kind, count)
    finished = carry_out(house, planned, kind, here=here)
    for problem in finished.counts.get("problems", []):
        click.secho(f"   note  {problem}", fg="yellow")
    if finished.state != "done":
        click.echo(f"{finished.state}: {finished.message}", err=True)
        raise SystemExit(1)
    click.echo(finished.message)
    if finished.counts.get("written"):
        number = counted(finished.counts["written"], "task")
        click.echo(f"in Label Studio: sort the Data Manager by prediction score, ascending; {number} come first")
