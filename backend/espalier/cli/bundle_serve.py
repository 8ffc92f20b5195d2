"""`espalier bundle serve`: answer over HTTP with a bundle alone."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..bundle.limits import Limits
from ..bundle.opening import opened
from ..bundle.server import serve
from ..checking.ports import is_free
from ..errors import BadSetting
from ..settings import Secret
from . import logs
from .bundle import bundle


@bundle.command("serve")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Any but loopback needs basic auth.")
@click.option("--port", default=9091, show_default=True, type=click.IntRange(1, 65535))
@click.option("--root", type=click.Path(path_type=Path), help="Requests may name files below this directory.")
@click.option("--max-mb", default=512, show_default=True, help="Largest request, in MB.")
@click.option("--max-files", default=1000, show_default=True, help="Most files in one request.")
@click.option("--max-megapixels", default=100, show_default=True, help="Largest picture that is decoded.")
@click.option("--max-seconds", default=300.0, show_default=True, help="Longest time for one request.")
def bundle_serve(path: Path, host: str, port: int, root: Path | None, **limits: int) -> None:
    """Serve the bundle at PATH (a directory or ZIP): GET /health, GET /about, POST /predict.

    Basic auth is on where BASIC_AUTH_USER and BASIC_AUTH_PASS are set. Ctrl+C ends it.
    """
    logs.set_up("INFO")
    user, password = (os.environ.get(name, "") for name in ("BASIC_AUTH_USER", "BASIC_AUTH_PASS"))
    taken = Limits(host=host, port=port, root=root, user=user, password=Secret(password), **limits)
    if not is_free(host, port):
        raise BadSetting(f"port {port} of {host} is taken: end what listens there, or name another with --port")
    with opened(path) as found:
        name, precision = found.manifest.name, found.manifest.precision
        click.echo(f"{name}, in {precision}: POST pictures and videos to http://{host}:{port}/predict", err=True)
        serve(found, taken)
