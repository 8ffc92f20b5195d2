"""`espalier bundle`: take a model version away, and answer with it where there is nothing else."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from .door import main

_COMMANDS = {
    "write": ("bundle_write", "Write a version as one directory or ZIP (`espalier bundle PROJECT` does the same)."),
    "serve": ("bundle_serve", "Answer over HTTP with a bundle alone."),
    "predict": ("bundle_predict", "Answer a directory of pictures and videos with a bundle alone."),
    "show": ("bundle_show", "What is in a bundle, after every byte was checked."),
}
"""Serving imports neither the queue nor the database, which the machine that serves need not have."""


class _Bundle(click.Group):
    """What is none of its commands is a project: `espalier bundle 7` writes one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            import_module(f"{__package__}.{_COMMANDS[cmd_name][0]}")
        return super().get_command(ctx, cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in _COMMANDS and args[0] not in ("-h", "--help"):
            args = ["write", *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@main.group(cls=_Bundle)
def bundle(**_: Any) -> None:
    """Take a model version away, and answer with it where there is no Label Studio, queue, torch or network.

    `espalier bundle PROJECT [VERSION] --to PATH[.zip]` writes it.
    """
