"""`espalier demo`: Label Studio and Espalier on loopback, with two projects to look at."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import click
import requests

from ..demo.label_studio import USER, LabelStudioServer, install
from ..demo.story import Story
from ..errors import BadSetting, EspalierError
from ..settings import Secret
from .door import main, settings
from .serve import serve_all


@main.command()
@click.option("--directory", type=click.Path(path_type=Path), default=Path("espalier-demo"), show_default=True)
@click.option("--label-studio-port", default=8080, show_default=True)
@click.option("--once", is_flag=True, help="End when the story is told, instead of staying up to be looked at.")
def demo(directory: Path, label_studio_port: int, once: bool) -> None:
    """Start both, make two projects from real pictures, label a few frames, and leave predictions to look at."""
    read = replace(settings(), data_dir=directory.resolve() / "espalier")
    directory = directory.resolve()
    for port in (label_studio_port, read.port):
        _require_free(port)
    directory.mkdir(parents=True, exist_ok=True)
    click.echo("installing Label Studio into an environment of its own (minutes, the first time)")
    program = install(directory / "label-studio-environment")
    password = _password(directory / "password")
    server = LabelStudioServer(program, directory / "label-studio", label_studio_port, password)
    click.echo("starting Label Studio (about a minute, the first time)")
    server.start()
    try:
        environment = {
            **os.environ,
            "ESPALIER_DATA_DIR": str(read.data_dir),
            "LABEL_STUDIO_URL": server.url,
            "LABEL_STUDIO_API_KEY": server.token(),
        }
        read = replace(
            read, label_studio_url=server.url, label_studio_api_key=Secret(environment["LABEL_STUDIO_API_KEY"])
        )
        click.echo("starting Espalier")
        told = threading.Thread(
            target=_tell, args=(server, f"http://127.0.0.1:{read.port}", directory, password, once), daemon=True
        )
        told.start()
        serve_all(read, workers=True, environment=environment)
    finally:
        server.stop()


def _tell(server: LabelStudioServer, url: str, directory: Path, password: str, once: bool) -> None:
    try:
        for _ in range(600):
            try:
                if requests.get(f"{url}/health", timeout=1).ok:
                    break
            except requests.RequestException:
                time.sleep(0.2)
        marker = directory / "told"
        if not marker.exists():
            Story(server, url, click.echo).tell(directory)
            marker.touch()
        click.echo(f"look at {server.url} as {USER}, password {password}; Ctrl+C ends both")
    except EspalierError as error:
        click.secho(f"the demo stopped: {error}", fg="red", err=True)
    if once:
        os.kill(os.getpid(), 15)


def _password(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12))
    return path.read_text()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise BadSetting(
                f"port {port} is taken: choose others with PORT=9091 and `--label-studio-port 8081`"
            ) from None
