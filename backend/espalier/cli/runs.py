"""`espalier train | run | runs | undo | versions`: the same functions that Label Studio's requests reach."""

from __future__ import annotations

import time
from typing import Any

import click

from ..errors import BadRequest
from ..jobs import automated
from ..jobs.house import House, current
from ..jobs.parameters import EXISTING, PARENTS, RunParameters
from ..jobs.progress import Progress
from ..jobs.training import train as train_now
from .door import main, settings
from .project import find_project


@main.command()
@click.argument("project")
@click.option("--here", is_flag=True, help="Train in this process instead of asking a running worker.")
def train(project: str, here: bool) -> None:
    """Train PROJECT (its id in Label Studio) on every annotation so far."""
    house = current(settings())
    key = find_project(house, project).key
    if here:
        with _bar("training") as progress:
            version = train_now(house, key, progress, reconcile=True)
        click.echo(f"{version.name}: {version.message}")
    else:
        _follow(house, house.queues.request_training(key, delay=False, reconcile=True))


@main.command()
@click.argument("project")
@click.option("--task", "tasks", type=int, multiple=True, help="Only this task; may be repeated.")
@click.option("--filter", default="all", show_default=True, help=RunParameters.__dataclass_fields__["filter"].name)
@click.option("--version", help="Model version; the one that serves by default.")
@click.option("--classification", "classifications", multiple=True, help="Only this one; may be repeated.")
@click.option("--first", default=1, show_default=True, help="First frame, as Label Studio numbers them.")
@click.option("--last", type=int, help="Last frame; to the end by default.")
@click.option("--stride", default=0, show_default=True, help="Every n-th frame; 0 chooses by length.")
@click.option("--confidence", type=float, help="Cutoff for every class, 0 to 1; the version's own by default.")
@click.option("--confidence-of", "confidences", multiple=True, metavar="CLASSIFICATION[/OPTION]=CUTOFF")
@click.option("--device", help="auto, cpu, cuda or cuda:n")
@click.option("--parents", type=click.Choice(PARENTS), default="run", show_default=True)
@click.option("--existing", type=click.Choice(EXISTING), default="add", show_default=True)
@click.option("--dry-run", is_flag=True, help="Count what would be written, and write nothing.")
@click.option("--here", is_flag=True, help="Run in this process instead of asking a running worker.")
def run(
    project: str, dry_run: bool, here: bool, tasks: tuple[int, ...], confidences: tuple[str, ...], **chosen: Any
) -> None:
    """Automated labeling of PROJECT: predictions for its tasks, which `espalier undo` takes back."""
    house = current(settings())
    key = find_project(house, project).key
    chosen["classifications"] = chosen["classifications"] or None
    parameters = RunParameters(tasks=tasks or None, confidences=dict(map(_cutoff, confidences)), **chosen)
    if dry_run:
        with _bar("dry run") as progress:
            counts = automated.dry_run(house, key, parameters, progress)
        _print(counts)
        return
    planned = automated.plan(house, key, parameters)
    click.echo(f"run {planned.id} writes as {planned.version}; `espalier undo {planned.id}` takes it back")
    if here:
        with _bar("run") as progress:
            automated.execute(house, planned.id, progress)
    else:
        _follow(house, house.queues.request_run(planned.id))
    finished = house.records.run(planned.id)
    assert finished is not None
    _print(finished.counts)
    click.echo(f"{finished.state}: {finished.message}")


@main.command()
@click.argument("project")
def runs(project: str) -> None:
    """The automated labeling runs of PROJECT."""
    house = current(settings())
    for row in automated.recent(house, find_project(house, project).key):
        click.echo(f"{row.id}  {row.created_at:%Y-%m-%d %H:%M}  {row.state:<10}{row.done}/{row.total}  {row.message}")


@main.command()
@click.argument("run_id")
def undo(run_id: str) -> None:
    """Delete exactly what a run wrote."""
    click.echo(f"{automated.undo(current(settings()), run_id)} predictions deleted")


@main.command()
@click.argument("run_id")
def cancel(run_id: str) -> None:
    """Stop a run where it is; what it wrote stays until `espalier undo`."""
    run = automated.cancel(current(settings()), run_id)
    click.echo(f"{run.state}: {run.message or 'stops at its next step'}")


@main.command()
@click.argument("project")
def versions(project: str) -> None:
    """The model versions of PROJECT, the newest first."""
    house = current(settings())
    found = find_project(house, project)
    for row in house.records.versions(found.key):
        serving = "serves" if row.name == found.served else row.state
        click.echo(f"{row.name:<16}{serving:<11}{row.created_at:%Y-%m-%d %H:%M}  {row.message}")


def _cutoff(text: str) -> tuple[str, float]:
    name, _, value = text.rpartition("=")
    try:
        return name, float(value)
    except ValueError:
        raise BadRequest(f"--confidence-of takes CLASSIFICATION=CUTOFF, got {text!r}") from None


def _print(counts: dict[str, Any]) -> None:
    for answer, count in counts.get("answers", {}).items():
        click.echo(f"{count:>7}  {answer}")
    for problem in counts.get("problems", []):
        click.secho(f"   note  {problem}", fg="yellow")
    click.echo(
        f"{counts.get('written', 0)} of {counts.get('tasks', 0)} tasks answered, {counts.get('frames', 0)} frames"
    )


class _bar(Progress):
    """Shows progress on the terminal, where there is one."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label

    def __enter__(self) -> _bar:
        return self

    def __exit__(self, *_: object) -> None:
        click.echo("", err=True)

    def report(self, done: int, total: int, message: str = "") -> None:
        click.echo(f"\r{self.label}: {done}/{total} {message[:60]:<60}", nl=False, err=True)


def _follow(house: House, job_id: str) -> None:
    """Shows a job until it ends; interrupting asks whether to cancel it."""
    if not house.queues.workers():
        click.secho("no worker is running: start `espalier serve`, or add --here", fg="yellow", err=True)
    try:
        while (status := house.queues.status(job_id)).state in ("queued", "running"):
            click.echo(f"\r{status.state}: {status.done}/{status.total} {status.message[:60]:<60}", nl=False, err=True)
            time.sleep(0.3)
    except KeyboardInterrupt:
        if click.confirm("\ncancel the job?", err=True):
            house.queues.cancel(job_id)
        raise SystemExit(130) from None
    click.echo(f"\r{status.state}: {status.message:<70}", err=True)
    if status.state == "failed":
        raise SystemExit(1)
