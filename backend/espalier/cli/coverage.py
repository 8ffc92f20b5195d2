"""`espalier coverage`: how many frames are labeled without anybody looking, at a promised precision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..errors import BadRequest
from ..judging.coverage import TARGETS, coverage_table
from ..judging.coverage_words import percent
from .door import main
from .opened import opened
from .project import find_project
from .table import columns, counted


@main.command()
@click.argument("project")
@click.argument("version", required=False)
@click.option("--classification", help="Only this one.")
@click.option("--per-class", is_flag=True, help="Every option under a cutoff of its own, too.")
@click.option("--precision", "targets", type=float, multiple=True, help="Instead of 0.90, 0.95, 0.98 and 0.99.")
@click.option("--json", "as_json", is_flag=True, help="For programs; everything is in it.")
def coverage(
    project: str,
    version: str | None,
    classification: str | None,
    per_class: bool,
    targets: tuple[float, ...],
    as_json: bool,
) -> None:
    """What share of PROJECT's frames VERSION (the one that serves) would label for you, if answers must be right so
    often.

    What is said of a cutoff was measured on frames that had no part in choosing it, with the range in which its true
    precision lies (95 % sure). Take one with `espalier cutoffs`, or for one run with `espalier run --confidence`.
    """
    for target in targets:
        if not 0 < target < 1:
            raise BadRequest(f"a precision must be above 0 and below 1, got {target}")
    with opened() as house:
        found = find_project(house, project)
        row = house.version(found, version)
        table = coverage_table(house.model(Path(row.directory)), targets or TARGETS)
    known = [entry["classification"] for entry in table["classifications"]]
    if classification is not None and classification not in known:
        raise BadRequest(f"{row.name} has no classification {classification!r}; it has {', '.join(known) or 'none'}")
    if as_json:
        click.echo(json.dumps({"version": row.name, **table}, indent=1))
        return
    tested = f", {table['test_frames']} more were kept for a test" if table["test_frames"] else ""
    click.echo(f"{row.name}, checked on {counted(table['frames'], 'frame')}{tested}")
    for line in lines_of(table, classification, per_class=per_class):
        click.echo(line)


def lines_of(table: Mapping[str, Any], classification: str | None = None, *, per_class: bool = False) -> Iterator[str]:
    """A paragraph for everything together (where there are several), and one for each classification."""
    shown = [one for one in table["classifications"] if classification in (None, one["classification"])]
    if len(shown) > 1 and table["global"]:
        yield from _paragraph("everything under one cutoff", table["global"])
    for one in shown:
        if not one["trained"]:
            yield from ("", one["classification"], f"  not trained: {one['reason']}")
            continue
        yield from _paragraph(one["classification"], one["targets"])
        if per_class:
            for option in one["options"]:
                yield from _paragraph(f"{one['classification']} / {' / '.join(option['option'])}", option["targets"])


def _paragraph(title: str, entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield title
    rows = [(percent(entry["target"]), entry["sentence"]) for entry in entries]
    yield from (f"  {line}" for line in columns(rows))
