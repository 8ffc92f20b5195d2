"""Watching a job that a worker does, and runs, which may also be done in this process."""

from __future__ import annotations

import time

import click

from ..errors import BadRequest
from ..jobs import automated
from ..jobs.house import House
from ..store.rows import Run
from .meter import Meter, MeteredProgress

_POLL_S = 0.3


def require_worker(house: House, role: str) -> None:
    """Raises BadRequest where a job for this role would wait for ever. Counts on the queue, wherever workers run."""
    queue = "runs" if role == "prediction" else role
    if not any(queue in served for served in house.queues.workers().values()):
        raise BadRequest(f"no {role} worker is running: start `espalier serve`, or add --here to do it in this process")


def follow(house: House, job_id: str, label: str, *, ends: tuple[str, ...] = ("done",)) -> None:
    """Shows a job until it ends; interrupting asks whether to cancel it. Ends with 1 where it ended otherwise."""
    try:
        with Meter(label) as meter:
            while (status := house.queues.status(job_id)).state in ("queued", "running"):
                message = status.message or ("waits for a worker" if status.state == "queued" else "")
                meter.show(status.done, status.total, message)
                time.sleep(_POLL_S)
            meter.show(max(status.done, status.total), status.total, "")
    except KeyboardInterrupt:
        if click.confirm("\ncancel it?", err=True):
            house.queues.cancel(job_id)
        else:
            click.echo("it goes on without being watched", err=True)
        raise SystemExit(130) from None
    if status.state not in ends:
        raise click.ClickException(f"{status.state}: {status.message}")


def carry_out(house: House, run: Run, label: str, *, here: bool) -> Run:
    """A planned run, as it has ended. here: in this process."""
    click.echo(f"run {run.id} writes as {run.version}; `espalier undo {run.id}` takes it back")
    if here:
        with MeteredProgress(label) as progress:
            automated.execute(house, run.id, progress)
    else:
        follow(house, house.queues.request_run(run.id), label)
    return automated.find(house, run.id)


def end_with(run: Run) -> None:
    """Its state and message; ends with 1 where it is not done."""
    click.echo(f"{run.state}: {run.message}", err=run.state != "done")
    if run.state != "done":
        raise SystemExit(1)
