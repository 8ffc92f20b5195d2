"""`espalier bundle show`: what is in a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from ..bundle.opening import opened
from .bundle import bundle


@bundle.command("show")
@click.argument("path", type=click.Path(path_type=Path))
def bundle_show(path: Path) -> None:
    """Check every byte of the bundle at PATH (a directory or ZIP), and say what it is."""
    with opened(path) as found:
        click.echo((found.directory / "README.txt").read_text().rstrip())
        click.echo(f"\nevery file is as it was written; digest {found.manifest.digest}")
