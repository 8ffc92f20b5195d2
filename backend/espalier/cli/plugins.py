"""`espalier plugins`: what is installed, and the reason where one could not be loaded."""

from __future__ import annotations

import click

from ..plugins import registry
from .door import main


@main.command()
def plugins() -> None:
    """Encoders, classifiers and indexes: name, version, origin, and the reason where one cannot be loaded."""
    for role, found in (
        ("encoder", registry.encoders()),
        ("classifier", registry.classifiers()),
        ("index", registry.indexes()),
    ):
        for plugin in found.values():
            click.echo(f"{role:<11}{plugin.name:<12}{plugin.version:<12}{plugin.origin}")
            if plugin.error:
                click.secho(f"           cannot be loaded: {plugin.error}", fg="red")
