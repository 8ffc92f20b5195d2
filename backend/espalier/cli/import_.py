"""`espalier import`: labels from a table, or from pictures in directories."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import click

from ..errors import BadRequest
from ..exchange import importing
from ..exchange.cells import safe
from ..exchange.importing import ImportRequest
from ..jobs.bulk_parameters import AS
from .door import main
from .following import carry_out, end_with, require_worker
from .label import echo_counts, user_here
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import counted

_SHOWN = 20


@main.command("import")
@click.argument("project")
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="FILE|DIRECTORY")
@click.option(
    "--as", "as_", type=click.Choice(AS), default="annotations", show_default=True,
    help="Annotations are your answer, and are learned from; predictions are a proposal.",
)  # fmt: skip
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=CLASSIFICATION",
    help="What a column is about; NAME= leaves it out, NAME=* lets each value say it. Else it is found out.",
)
@click.option(
    "--classification",
    "classifications",
    multiple=True,
    metavar="NAME",
    help="Which the directories name, from the outer on; all by default.",
)
@click.option("--upload", is_flag=True, help="Import pictures that no task shows into Label Studio.")
@click.option("--with-parents", is_flag=True, help="Also give what an attribute depends on, where nobody has said it.")
@click.option("--also-annotated", is_flag=True, help="As annotations: one more beside a person's.")
@click.option("--by", metavar="EMAIL", default="", help="The user of Label Studio whose annotations they are.")
@click.option("--note", default="", help="Kept with the run.")
@click.option("--report", type=click.Path(path_type=Path), help="Write every row that is not understood to this CSV.")
@click.option("--dry-run", is_flag=True, help="Say what would be given and what is not understood, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: for programs.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option("--here", is_flag=True, help="Write in this process instead of asking a running worker.")
def import_(
    project: str,
    source: Path,
    columns: tuple[str, ...],
    report: Path | None,
    dry_run: bool,
    as_json: bool,
    yes: bool,
    here: bool,
    **chosen: Any,
) -> None:
    """Give the labels in FILE (a CSV) or DIRECTORY (of pictures, also as a ZIP) to the tasks of PROJECT.

    A table has a column of file names and one or more of labels: `filename,label`, or one column for each
    classification. A file is found by its name, whatever Label Studio put before it. Pictures lie in directories that
    are named after the options, nested where the questions are. Rows that are not understood are told one by one, and
    the others are given by the rules of every bulk label; `espalier undo` takes them back.
    """
    request = ImportRequest.from_json({
        **{name.rstrip("_"): value for name, value in chosen.items()},
        "by": chosen["by"] or user_here(),
        "name": source.name,
        "columns": dict(_column(text) for text in columns),
    })  # fmt: skip
    with opened() as house:
        found = find_project(house, project)
        if not dry_run and not here:
            require_worker(house, "prediction")
        with MeteredProgress("looking") as looking:
            told = importing.preview(house, found, source, request, looking)
        if report is not None:
            _write(report, told["problems"])
        if as_json and dry_run:
            click.echo(json.dumps(told))
            return
        _tell(told, report)
        new = told["missing"] if request.upload and told["kind"] == "pictures" else 0
        written = told["counts"]["written"] if told["counts"] else 0
        if new:
            click.echo(f"{counted(new, 'picture')} would be imported into Label Studio, with {new} labeled tasks")
        if dry_run or not (written or new):
            return
        if not yes:
            click.confirm("write that?", abort=True, err=True)
        with MeteredProgress("import") as planning:
            run, _ = importing.plan(house, found, source, request, planning)
        ended = carry_out(house, run, "import", here=here)
    end_with(ended)


def _column(text: str) -> tuple[str, str]:
    name, equals, about = text.rpartition("=")
    if not equals or not name:
        raise BadRequest(f"--column takes NAME=CLASSIFICATION, NAME=* or NAME=, got {text!r}")
    return name, about


def _tell(told: dict[str, Any], report: Path | None) -> None:
    what = "row" if told["kind"] == "table" else "picture"
    for column in told["columns"]:
        click.echo(f"  column {column['name']}: {column['meaning'] or 'left out'}")
    click.echo(f"{counted(told['rows'], what)} understood, about {counted(told['tasks'], 'task')}")
    for problem in told["problems"][:_SHOWN]:
        where = f"row {problem['row']}" if isinstance(problem["row"], int) else problem["row"]
        click.secho(f"{where}: {problem['value']!r}: {problem['why']}; {problem['do']}", fg="yellow")
    if told["problem_count"] > _SHOWN:
        where = f"all are in {report}" if report else "--report FILE writes them all"
        click.secho(f"and {told['problem_count'] - _SHOWN} more; {where}", fg="yellow")
    if told["counts"]:
        echo_counts(told["counts"])


def _write(path: Path, problems: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "value", "why", "do"))
        writer.writerows([safe(problem[name]) for name in ("row", "value", "why", "do")] for problem in problems)
