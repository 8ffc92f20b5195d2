"""`espalier export`: labels and predictions as files, and pictures in directories by what they show."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, Any

import click

from ..errors import BadRequest
from ..exchange import exporting
from ..exchange.answers_file import annotated, as_csv, as_json, predicted
from ..exchange.exporting import ExportRequest
from ..jobs.house import House
from ..store.rows import Project
from .door import main
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import counted

_WHAT = ("labels", "predictions", "folders", "judged")
_SHOWN = 20


@main.command()
@click.argument("project")
@click.argument("what", type=click.Choice(_WHAT))
@click.option("--to", default="-", metavar="FILE", help="Where; - is the standard output, and so a pipe.")
@click.option(
    "--format", "form", type=click.Choice(("json", "csv")),
    help="Of labels and predictions; by default as FILE ends, else json.",
)  # fmt: skip
@click.option("--of", type=click.Choice(("answers", "predictions")), default="answers", show_default=True,
              help="Of folders: whose answers name them.")  # fmt: skip
@click.option("--version", help="Whose predictions: a model version or a run's; by default what serves.")
@click.option(
    "--by",
    "classifications",
    multiple=True,
    metavar="CLASSIFICATION",
    help="Which, in the order of the directories; may be repeated; all by default.",
)
@click.option("--stride", type=click.IntRange(min=1), help="Every n-th frame of videos; by default about one a second.")
@click.option("--rest", is_flag=True, help="Of folders: also pictures of which nothing is said.")
def export(project: str, what: str, to: str, form: str | None, version: str | None, **chosen: Any) -> None:
    """Take from PROJECT what people answered (labels), what a version predicted (predictions), both as JSON or CSV;
    pictures in directories named after options (folders); or pictures in right/ and wrong/ with a table of truth and
    prediction (judged), both as ZIP. `espalier import` reads them again.
    """
    if to != "-" and Path(to).exists():
        raise BadRequest(f"{to} is there already: remove it, or name another file")
    with opened() as house:
        found = find_project(house, project)
        if what in ("labels", "predictions"):
            name = form or ("csv" if to.endswith(".csv") else "json")
            _written(to, lambda file: _answers(house, found, what, name, version, file))
            return
        asked = ExportRequest.from_json({"what": what, "version": version, **chosen})
        with MeteredProgress("export") as progress:
            told: dict[str, Any] = {}
            _written(to, lambda file: told.update(exporting.export(house, found, asked, file, progress)))
    for problem in told["problems"][:_SHOWN]:
        click.secho(f"   note  {problem}", fg="yellow", err=True)
    for name, count in told["labels"].items():
        click.echo(f"{count:>7}  {name}", err=True)
    judged = f", {told['right']} of them right" if what == "judged" else ""
    click.echo(f"{counted(told['files'], 'file')} of {counted(told['tasks'], 'task')}{judged}", err=True)


def _answers(house: House, project: Project, what: str, form: str, version: str | None, file: IO[bytes]) -> None:
    if what == "labels":
        rows = annotated(house.records, project)
    else:
        rows = predicted(house.records, project, version or project.served or "")
    if form == "csv":
        file.writelines(line.encode() for line in as_csv(house.ontology(project), rows))
    else:
        file.writelines(as_json(rows, "annotations" if what == "labels" else "predictions"))


def _written(to: str, write: Any) -> None:
    """Whole, or not at all."""
    if to == "-":
        if sys.stdout.isatty():
            raise BadRequest("the terminal is no place for this: name a file with --to, or pipe it on")
        write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(to)
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("wb") as file:
            write(file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
