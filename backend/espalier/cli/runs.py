"""`espalier run | runs | undo | cancel`: automated labeling, by the functions that Label Studio's requests reach."""

from __future__ import annotations

from typing import Any

import click

from ..errors import BadRequest
from ..jobs import automated, blind, tuning
from ..jobs.parameters import EXISTING, FILTERS, PARENTS, RunParameters
from .door import main
from .following import carry_out, require_worker
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import columns, counted, moment


@main.command()
@click.argument("project")
@click.option("--task", "tasks", type=int, multiple=True, metavar="ID", help="Only this task; may be repeated.")
@click.option(
    "--filter",
    default="all",
    show_default=True,
    metavar="WHICH",
    help=f"Which tasks: {', '.join(FILTERS)}, view=ID of a Data Manager tab, or FIELD=PATTERN of the task's data, "
    "with * and ?.",
)
@click.option("--version", metavar="NAME", help="Model version; the one that serves by default.")
@click.option(
    "--classification", "classifications", multiple=True, metavar="NAME", help="Only this one; may be repeated."
)
@click.option("--first", default=1, show_default=True, help="First frame, as Label Studio numbers them.")
@click.option("--last", type=int, help="Last frame; to the end by default.")
@click.option("--stride", default=0, show_default=True, help="Look at every n-th frame; 0 chooses by length.")
@click.option("--confidence", type=float, help="Cutoff for every class, 0 to 1; the version's own by default.")
@click.option(
    "--confidence-of",
    "confidences",
    multiple=True,
    metavar="CLASSIFICATION[/OPTION]=CUTOFF",
    help="Cutoff for one classification or option; may be repeated.",
)
@click.option("--device", metavar="NAME", help="auto, cpu, cuda or cuda:n; that of the settings by default.")
@click.option(
    "--parents",
    type=click.Choice(PARENTS),
    default="run",
    show_default=True,
    help="Whose answer to a parent opens its attributes: also this run's, or only people's.",
)
@click.option(
    "--existing",
    type=click.Choice(EXISTING),
    default="add",
    show_default=True,
    help="Tasks with predictions of earlier runs: add to them, skip them, or replace those once this run is done.",
)
@click.option(
    "--blind",
    default=0.0,
    show_default=True,
    metavar="SHARE",
    help="Withhold this share of the unlabeled tasks, 0 to 0.5: what people answer there tells the real precision.",
)
@click.option("--dry-run", is_flag=True, help="Count what would be written, and write nothing.")
@click.option("--here", is_flag=True, help="Run in this process instead of asking a running worker.")
def run(
    project: str, dry_run: bool, here: bool, tasks: tuple[int, ...], confidences: tuple[str, ...], **chosen: Any
) -> None:
    """Automated labeling of PROJECT (its id in Label Studio): predictions, which `espalier undo` takes back.

    Predictions are written to Label Studio under a name of their own; annotations are never touched. A dry run is done
    in this process.
    """
    chosen["classifications"] = chosen["classifications"] or None
    parameters = RunParameters(tasks=tasks or None, confidences=dict(map(_cutoff, confidences)), **chosen)
    with opened() as house:
        key = find_project(house, project).key
        if dry_run:
            with MeteredProgress("dry run") as progress:
                counts = automated.dry_run(house, key, parameters, progress)
            _print(counts)
            return
        if not here:
            require_worker(house, "prediction")
        planned = automated.plan(house, key, parameters)
        finished = carry_out(house, planned, "run", here=here)
        _print(finished.counts)
        _print_sample(blind.measure(house, finished))
        if finished.state != "done":
            click.echo(f"{finished.state}: {finished.message}", err=True)
            raise SystemExit(1)


@main.command()
@click.argument("project")
def runs(project: str) -> None:
    """The automated labeling runs, lists and bulk labels of PROJECT, the newest first.

    Below a run with a blind sample: how many of the answers that it withheld people have given since, too.
    """
    with opened() as house:
        recent = automated.recent(house, find_project(house, project).key)
        samples = [blind.measure(house, row) for row in recent]
    rows = [
        (row.id, moment(row.created_at), row.state, f"{row.done}/{row.total} tasks", row.version, row.message)
        for row in recent
    ]
    for line, sample in zip(columns(rows), samples, strict=True):
        click.echo(line)
        _print_sample(sample)
    if not rows:
        click.echo("no run yet")


@main.command()
@click.argument("run_id")
def undo(run_id: str) -> None:
    """Delete exactly what the run RUN_ID wrote.

    Of annotations that `espalier label` wrote, those that somebody has changed since are kept, and named.
    """
    with opened() as house:
        deleted = automated.undo(house, run_id)
        told = automated.find(house, run_id)
    click.echo(told.message if told.kind == "bulk" else f"{counted(deleted, 'prediction')} deleted")


@main.command()
@click.argument("run")
@click.argument("version", required=False)
def cancel(run: str, version: str | None) -> None:
    """Stop the run RUN where it is; what it wrote stays until `espalier undo`.

    With a VERSION, RUN is a project: its fine-tuning stops, and keeps the best so far.
    """
    with opened() as house:
        if version is not None:
            click.echo(tuning.cancel(house, find_project(house, run).key, version))
            return
        stopped = automated.cancel(house, run)
    ended = stopped.state not in ("queued", "running")
    click.echo(f"{stopped.state} ({stopped.message})" if ended else f"{stopped.state}: stops at its next step")


def _cutoff(text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")
    try:
        if name and equals:
            return name, float(value)
    except ValueError:
        pass
    raise BadRequest(f"--confidence-of takes CLASSIFICATION=CUTOFF or CLASSIFICATION/OPTION=CUTOFF, got {text!r}")


def _print_sample(sample: blind.BlindSample | None) -> None:
    if sample is None:
        return
    click.echo(f"   {sample.sentence()}")
    for name, one in sample.questions.items() if len(sample.questions) > 1 else ():
        click.echo(f"     {name}: {blind.described(one)}")


def _print(counts: dict[str, Any]) -> None:
    for answer, count in counts.get("answers", {}).items():
        click.echo(f"{count:>7}  {answer}")
    for problem in counts.get("problems", []):
        click.secho(f"   note  {problem}", fg="yellow")
    click.echo(
        f"{counts.get('written', 0)} of {counts.get('tasks', 0)} tasks answered, "
        f"{counted(counts.get('frames', 0), 'frame')}"
        + (f"; {counts['blind']} withheld as the blind sample" if counts.get("blind") else "")
    )
