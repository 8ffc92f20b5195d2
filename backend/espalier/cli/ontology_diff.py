"""`espalier ontology diff`: what changed between two configurations, and what that means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from espalier_ontology.diff import Change, diff

from ..errors import BadRequest
from ..jobs.configurations import ontology_of
from ..jobs.doubted import put_doubted
from ..store.rows import StoredMapping
from .label_config import parse_config, read_config
from .opened import opened
from .option_names import written
from .project import find_project
from .table import counted


@click.command("diff")
@click.argument("old", metavar="PROJECT|OLD.xml")
@click.argument("new", metavar="[NEW.xml]", required=False)
@click.option(
    "--revisit", is_flag=True, help="Put answers that need another look on the list, if the model doubts them."
)
@click.option("--most", default=100, show_default=True, help="Of so many pictures or videos at most, with --revisit.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def diff_command(old: str, new: str | None, revisit: bool, most: int, as_json: bool) -> None:
    """What changed from OLD.xml to NEW.xml; or in PROJECT since the version that serves was trained.

    Each line says what becomes of earlier answers and of the model. What looks like a rename is only suggested.
    """
    if new is not None:
        if revisit:
            raise BadRequest("--revisit needs a project, not two files")
        changes = diff(parse_config(read_config(old)), parse_config(read_config(new)))
        _show(changes, [], "PROJECT", as_json)
        return
    with opened() as house:
        project = find_project(house, old)
        version = house.version(project)
        changes = diff(ontology_of(version), parse_config(project.label_config))
        mappings = house.records.mappings(project.key)
        if changes and not as_json:
            click.echo(f"since {version.name} was trained, which serves:")
        _show(changes, mappings, old, as_json)
        if revisit:
            put = put_doubted(house, project, version, changes, most)
            click.echo(f"{counted(put, 'answer')} put on the revisit list: `espalier revisit {old}`", err=as_json)


def _show(changes: Sequence[Change], mappings: Sequence[StoredMapping], project: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(change) for change in changes], indent=1))
        return
    for change in changes:
        for line in _lines(change, mappings, project):
            click.echo(line)
    for command in dict.fromkeys(_command(change, mappings, project) for change in changes):
        if command:
            click.secho(f"if that is meant: {command}", fg="green")
    if not changes:
        click.echo("nothing changed that an answer or a model is concerned by")


def _lines(change: Change, mappings: Sequence[StoredMapping], project: str) -> Iterator[str]:
    yield change.message
    done = _mapping(change, mappings)
    if done:
        yield f"    mapped on {done.created_at:%Y-%m-%d} ({done.id}); the model {change.model}"
    else:
        yield f"    answers: {change.answers}; the model {change.model}"


def _command(change: Change, mappings: Sequence[StoredMapping], project: str) -> str:
    suggestion = change.suggestion
    if suggestion is None or _mapping(change, mappings):
        return ""
    old, new = (
        ",".join(written(suggestion.classification, path) for path in paths)
        for paths in (suggestion.old, suggestion.new)
    )
    return f'espalier ontology map {project} --{suggestion.kind} "{old}={new}"'


def _mapping(change: Change, mappings: Sequence[StoredMapping]) -> StoredMapping | None:
    old = set(change.suggestion.old) if change.suggestion else {change.option}
    return next((one for one in mappings if one.classification == change.classification and one.old in old), None)
