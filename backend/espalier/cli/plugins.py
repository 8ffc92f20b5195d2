"""`espalier plugins`: what is installed, and the reason where one could not be loaded."""

from __future__ import annotations

import click

from ..plugins import registry
from .door import main, settings
from .table import columns


@main.command()
def plugins() -> None:
    """Encoders, classifiers and indexes: name, version, origin, and the reason where one cannot be loaded."""
    settings(quiet=True)
    found = [*registry.encoders().values(), *registry.classifiers().values(), *registry.indexes().values()]
    lines = columns([(plugin.role, plugin.name, plugin.version, plugin.origin) for plugin in found])
    for line, plugin in zip(lines, found, strict=True):
        click.echo(line)
        if plugin.error:
            click.secho(f"    cannot be loaded: {plugin.error}", fg="red")
