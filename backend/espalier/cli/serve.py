"""`espalier serve | worker`: the processes that run for as long as people label."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

import click
import requests

from .. import __version__
from ..checking.ports import is_free
from ..errors import BadSetting
from ..jobs import valkey
from ..jobs.queue import Queues
from ..jobs.supervisor import Supervisor
from ..jobs.worker import work
from ..settings import Settings
from ..store.records import Records
from ..web.server import serve as serve_web
from .door import main, settings

log = logging.getLogger(__name__)
ROLES = ("prediction", "training", "tuning", "search")
_READY_S = 60.0


@main.command()
@click.option("--no-workers", is_flag=True, help="Only Label Studio's routes; workers run elsewhere.")
@click.option("--web-only", is_flag=True, hidden=True, help="In this process; what `serve` starts as its child.")
def serve(no_workers: bool, web_only: bool) -> None:
    """Answer Label Studio, with a worker of each role beside it. Ctrl+C ends them all."""
    read = settings()
    if web_only:
        serve_web(read)
        return
    raise SystemExit(serve_all(read, workers=not no_workers))


@main.command()
@click.argument("role", type=click.Choice(ROLES), nargs=-1, required=True)
@click.option("--burst", is_flag=True, help="End when nothing waits any more.")
def worker(role: tuple[str, ...], burst: bool) -> None:
    """Do the jobs of a ROLE until told to stop: prediction (with automated labeling runs), training, tuning, or search.

    A worker does one job after the other: fine-tuning takes long, and a search must not wait, so each has a role of its
    own.
    """
    read = settings()
    if not {"prediction", "search"} & set(role):
        os.nice(5 if "training" in role else 10)  # predictions are waited for, trainings less, fine-tunings not at all
    log.info("%s worker: waiting for jobs", " and ".join(role))
    work(read, role, burst=burst)


def serve_all(read: Settings, *, workers: bool) -> int:
    """Run until stopped: checks that everything opens, tells where to connect, and looks after the processes."""
    if not is_free(read.host, read.port):
        raise BadSetting(f"port {read.port} of {read.host} is taken: end what listens there, or set PORT to another")
    read.data_dir.mkdir(parents=True, exist_ok=True)
    Records.open(read.database)  # migrate once, before the processes start, and fail here in words
    Queues.open(read).redis.close()
    program = [sys.executable, "-m", "espalier.cli"]
    commands = {"web": [*program, "serve", "--web-only"]}
    if workers:
        commands |= {f"{role}-worker": [*program, "worker", role] for role in ROLES}
    threading.Thread(target=_welcome, args=(read,), daemon=True).start()
    try:
        return Supervisor(commands).run()
    finally:
        _stop_queue(read)


def _stop_queue(read: Settings) -> None:
    """With the server ends its queue, whoever looks on; but not under workers that somebody else has started."""
    if not read.redis_url and valkey.is_running(read.data_dir):
        queues = Queues.open(read)
        others = queues.workers()
        queues.redis.close()
        if not others:
            valkey.stop(read.data_dir)


def _welcome(read: Settings) -> None:
    """One block, as soon as it is true."""
    url = f"http://{_reachable(read.host)}:{read.port}"
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{url}/health", timeout=2).status_code in (200, 401):
                click.echo(welcome(read), err=True)
                return
        except requests.RequestException:
            time.sleep(0.1)
    log.error("nothing answers at %s after %.0f s; what was logged above says why", url, _READY_S)


def welcome(read: Settings) -> str:
    """What a person needs to know now: where to connect, where things lie, and what is missing."""
    host = _reachable(read.host) if read.is_loopback else "<this machine>"
    queue = read.redis_url.rpartition("@")[2] or "embedded Valkey"
    lines = [
        "",
        f"  Espalier {__version__} is ready.",
        "",
        f"  Connect   http://{host}:{read.port}   in Label Studio, under Settings > Model > Connect Model",
        f"  Data      {read.data_dir.resolve()}   ({read.database.partition(':')[0]}, queue: {queue})",
    ]
    if read.basic_auth_user:
        lines.append(f"  Login     basic authentication as {read.basic_auth_user}, with BASIC_AUTH_PASS")
    if read.is_loopback:
        lines += [
            "  Note      Label Studio refuses addresses like this one unless it was started with",
            "            LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false",
        ]
    if not (read.label_studio_api_key.reveal() and read.label_studio_url):
        lines += [
            "  Note      LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are not set: it learns from new annotations alone",
            "            and cannot write predictions by itself",
        ]
    lines += ["  Trouble?  espalier doctor", ""]
    return "\n".join(lines)


def _reachable(host: str) -> str:
    """An address at which this machine reaches what listens on `host`, as URLs write it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not listened on)
    return f"[{host}]" if ":" in host else host
