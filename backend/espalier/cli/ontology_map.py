"""`espalier ontology map`: tells what old options are called today, so that their answers are not lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from ..jobs.configurations import todays
from ..jobs.house import House
from ..jobs.remapping import add, undo
from ..jobs.revisit import refresh
from ..store.rows import MappingKind, Project, StoredMapping
from .opened import opened
from .option_names import read_change, written
from .project import find_project
from .table import columns, counted, moment

_SAYS: dict[MappingKind, str] = {
    "rename": "are read under the new name",
    "merge": "are read as the new one",
    "split": "are learned from again once somebody has chosen",
    "retire": "are learned from no more",
}


@click.command("map")
@click.argument("project")
@click.option("--rename", "renames", multiple=True, metavar="OLD=NEW", help='As in "Weather/Rain=Weather/Rainy".')
@click.option("--merge", "merges", multiple=True, metavar="OLD,OLD=NEW", help='As in "Kind/Car,Kind/Van=Kind/Vehicle".')
@click.option("--split", "splits", multiple=True, metavar="OLD=NEW,NEW", help='As in "Kind/Dog=Kind/Puppy,Kind/Adult".')
@click.option("--retire", "retirements", multiple=True, metavar="OLD", help='As in "Kind/Other".')
@click.option("--undo", "undone", multiple=True, metavar="ID", help="Read the answers again as they were given.")
@click.option("--all", "every", is_flag=True, help="List those that were undone, too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def map_command(
    project: str,
    renames: Sequence[str],
    merges: Sequence[str],
    splits: Sequence[str],
    retirements: Sequence[str],
    undone: Sequence[str],
    every: bool,
    as_json: bool,
) -> None:
    """Say what options of PROJECT were renamed, merged, split or retired; without an option, list what was said.

    Annotations stay as they are in Label Studio; their old names are read as the new ones from now on, and a training
    is asked for. A / , or = that is part of a name is written with a backslash before it.

    Label Studio's settings page refuses to take away an option that was answered. To rename one there, keep the old
    name as its alias: <Choice value="Rainy" alias="Rain"/>; or change the configuration through the API, which does not
    refuse; or leave old options in the configuration and merge or retire them here.
    """
    wanted: list[tuple[MappingKind, str]] = [
        *(("rename", text) for text in renames),
        *(("merge", text) for text in merges),
        *(("split", text) for text in splits),
        *(("retire", text) for text in retirements),
    ]
    parsed = [(kind, *read_change(text, to_something=kind != "retire")) for kind, text in wanted]
    with opened() as house:
        found = find_project(house, project)
        for id in undone:
            click.echo(f"undone: {_shown(undo(house, found, id))}", err=as_json)
        for kind, classification, old, new in parsed:
            _add(house, found, kind, classification, old, new, as_json)
        put, _ = refresh(house, found)
        if put:
            click.echo(f"{counted(put, 'answer')} to look at again: `espalier revisit {project}`", err=as_json)
        if parsed or undone:
            _say_when(house, as_json)
        if as_json:
            rows = [asdict(mapping) for mapping in house.records.mappings(found.key, undone=every)]
            click.echo(json.dumps(rows, default=str, indent=1))
        elif not (parsed or undone):
            for line in _listed(house, found, every=every):
                click.echo(line)


def _add(
    house: House,
    project: Project,
    kind: MappingKind,
    classification: str,
    old: Sequence[tuple[str, ...]],
    new: Sequence[tuple[str, ...]],
    quiet: bool,
) -> None:
    made = add(house, project, kind, classification, old, new)
    for mapping in made.mappings:
        click.echo(f"{mapping.id}  {_shown(mapping)}", err=quiet)
    told = f"{counted(made.answers, 'answer')} in {counted(made.annotations, 'annotation')}"
    click.echo(f"{told} {_SAYS[kind]}", err=quiet)


def _say_when(house: House, quiet: bool) -> None:
    working = any("training" in served for served in house.queues.workers().values())
    when = "now" if working else "as soon as `espalier serve` runs, or with `espalier train --here`"
    click.echo(f"a training is asked for: {when}", err=quiet)


def _listed(house: House, project: Project, *, every: bool) -> list[str]:
    mappings = house.records.mappings(project.key, undone=every)
    if not mappings:
        return ["no option was renamed, merged, split or retired"]
    ontology = todays(house, project)
    rows = []
    for mapping in mappings:
        name = mapping.classification
        again = name in ontology and ontology.classification(name).option(mapping.old) is not None
        note = "the old option is in the configuration" if again else ""
        if mapping.undone_at:
            note = f"undone on {moment(mapping.undone_at)}"
        rows.append((mapping.id, moment(mapping.created_at), mapping.from_version or "-", _shown(mapping), note))
    return columns(rows)


def _shown(mapping: StoredMapping) -> str:
    new = ",".join(written(mapping.classification, path) for path in mapping.new)
    return f"{mapping.kind} {written(mapping.classification, mapping.old)}" + (f"={new}" if new else "")
