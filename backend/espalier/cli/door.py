"""The outer door of the command line: the group, its settings, and errors as one line each."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import click

from .. import __version__
from ..errors import EspalierError
from ..settings import Settings


class _Door(click.Group):
    """The outer door: an error that people can act on is one line, and never a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EspalierError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="espalier")
def main() -> None:
    """Trains a Label Studio project's ontology tree on its frames, and labels the rest of them."""


def settings() -> Settings:
    """The settings of this call, with logging set up to match."""
    read = Settings.read(os.environ)
    logging.basicConfig(
        level=read.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return read
