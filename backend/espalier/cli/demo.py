"""`espalier demo`: Label Studio and Espalier on loopback, with two projects to look at."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from ..checking.ports import is_free
from ..demo.backend import Backend
from ..demo.heartbeat import Heartbeat
from ..demo.installation import install
from ..demo.label_studio import USER, LabelStudioServer
from ..demo.story import Story
from ..errors import BadSetting, LabelStudioDown
from ..settings import Settings
from .door import main, settings

_KEPT = ("encoder", "preset", "device", "precision", "threads", "weights_dir", "log_level")
"""Settings of the caller that hold for the demo as well; the others may be those of a real backend."""


@main.command()
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path("espalier-demo"),
    show_default=True,
    help="Where everything of the demo lies; remove it and the demo is gone.",
)
@click.option("--label-studio-port", default=8080, show_default=True, help="Espalier's own port is PORT, 9090.")
@click.option(
    "--label-studio-environment",
    type=click.Path(path_type=Path),
    envvar="ESPALIER_LABEL_STUDIO_VENV",
    help="A virtual environment that has Label Studio, or will; within the directory by default.",
)
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying up to be looked at.")
def demo(directory: Path, label_studio_port: int, label_studio_environment: Path | None, once: bool) -> None:
    """Start both, make two projects from real pictures, label a few frames, and leave predictions to look at."""
    read = settings(quiet=True)
    directory = directory.resolve()
    _require_free(label_studio_port, "--label-studio-port 8081")
    _require_free(read.port, "PORT=9091")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    directory.mkdir(parents=True, exist_ok=True)
    server: LabelStudioServer | None = None
    backend: Backend | None = None
    try:
        program = install(label_studio_environment or directory / "label-studio-environment", _say)
        password = _password(directory / "password")
        at = f"http://127.0.0.1:{read.port}"
        server = LabelStudioServer(
            program, directory / "label-studio", label_studio_port, password, app=True, backend_url=at
        )
        _say(f"starting Label Studio at {server.url}" + ("" if server.log.exists() else " (the first time: a minute)"))
        with Heartbeat(_say, "Label Studio is starting"):
            server.start()
        backend = Backend(directory, read.port, {**_chosen(read), **_label_studio(server)})
        _say(f"starting Espalier at {backend.url}")
        with Heartbeat(_say, "Espalier is starting"):
            backend.start()
        story = Story(server, backend.url, _say, directory)
        story.reconnect()
        story.tell()
        click.echo(_end(server, backend, story))
        if not once:
            _watch(server, backend)
    except KeyboardInterrupt:
        click.echo()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if server is not None:
            _say("stopping")
            for running in (backend, server):
                if running is not None:
                    running.stop()


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)


def _chosen(read: Settings) -> dict[str, object]:
    values = {name: getattr(read, name) for name in _KEPT}
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items() if value}


def _label_studio(server: LabelStudioServer) -> dict[str, object]:
    return {"label_studio_url": server.url, "label_studio_api_key": server.token()}


def _end(server: LabelStudioServer, backend: Backend, story: Story) -> str:
    espalier = Path(sys.argv[0]) if Path(sys.argv[0]).name == "espalier" else "espalier"
    lines = ["", f"  Open      {server.url}", f"  Log in    {USER}, password {server.password}", ""]
    for url, end in story.ends():
        lines += [f"  Look at   {url}", f"            {end}"]
    lines += [
        "",
        "  Inside    open a task there: the button Automated labeling is at the lower right, with Similar beside it;",
        "            in the list, select tasks: Actions > Automated labeling…, Find similar, Train Espalier now, Undo",
        "",
        f"  Try       export ESPALIER_CONFIG={backend.config}",
        f"            {espalier} versions 1      or   run 1 --dry-run   or   doctor",
        f"  Logs      {backend.log}, {server.log}",
        "",
        "  Ctrl+C ends both; the next `make demo` starts them again as they are.",
        "",
    ]
    return "\n".join(lines)


def _watch(*running: LabelStudioServer | Backend) -> None:
    while True:
        for one in running:
            if not one.is_running:
                raise LabelStudioDown(f"{type(one).__name__} ended by itself; its log is {one.log}")
        time.sleep(0.5)


def _password(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12))
    return path.read_text()


def _require_free(port: int, other: str) -> None:
    if not is_free("127.0.0.1", port):
        raise BadSetting(f"port {port} is taken (by an earlier demo?): end what listens there, or choose with {other}")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
