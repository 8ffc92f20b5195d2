"""`espalier serve | worker`: the processes that run for as long as people label."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from ..jobs import valkey
from ..jobs.queue import Queues
from ..jobs.supervisor import Supervisor
from ..jobs.worker import work
from ..settings import Settings
from ..store.records import Records
from ..web.server import serve as serve_web
from .door import main, settings

ROLES = ("prediction", "training")


@main.command()
@click.option("--no-workers", is_flag=True, help="Only Label Studio's routes; workers run elsewhere.")
@click.option("--web-only", is_flag=True, hidden=True, help="In this process; what `serve` starts as its child.")
def serve(no_workers: bool, web_only: bool) -> None:
    """Answer Label Studio, with a prediction and a training worker beside it. Ends them all with Ctrl+C."""
    read = settings()
    if web_only:
        serve_web(read)
        return
    raise SystemExit(serve_all(read, workers=not no_workers))


@main.command()
@click.argument("role", type=click.Choice(ROLES), nargs=-1, required=True)
@click.option("--burst", is_flag=True, help="End when nothing waits any more.")
def worker(role: tuple[str, ...], burst: bool) -> None:
    """Do the jobs of a ROLE until told to stop: prediction (with automated labeling runs), training, or both."""
    read = settings()
    os.nice(10 if role == ("training",) else 5)  # Label Studio waits for the web, people for predictions
    work(read, role, burst=burst)


def serve_all(read: Settings, *, workers: bool, environment: Mapping[str, str] | None = None) -> int:
    """Run until stopped: checks that everything opens, tells where to connect, and looks after the processes."""
    read.data_dir.mkdir(parents=True, exist_ok=True)
    Records.open(read.database)  # migrate once, before the processes start, and fail here in words
    Queues.open(read)
    program = [sys.executable, "-m", "espalier.cli"]
    commands = {"web": [*program, "serve", "--web-only"]}
    if workers:
        commands |= {f"{role}-worker": [*program, "worker", role] for role in ROLES}
    click.echo(_welcome(read), err=True)
    try:
        return Supervisor(commands, env=environment).run()
    finally:
        if not read.redis_url:
            valkey.stop(read.data_dir)


def _welcome(read: Settings) -> str:
    host = "127.0.0.1" if read.is_loopback else read.host
    lines = [
        f"Espalier: connect http://{host}:{read.port} in Label Studio under Settings > Model",
        f"  data      {read.data_dir.resolve()}",
        f"  database  {read.database.partition(':')[0]}",
        f"  queue     {read.redis_url.rpartition('@')[2] or 'embedded Valkey'}",
    ]
    if read.is_loopback:
        lines.append("  Label Studio must run with LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false to reach this address")
    if not read.label_studio_api_key.reveal():
        lines.append("  LABEL_STUDIO_API_KEY is not set: Espalier learns from webhooks alone (see `espalier doctor`)")
    return "\n".join(lines)
