"""`espalier settings`: every setting, what is in force, and the table that the README shows."""

from __future__ import annotations

from dataclasses import fields

import click

from ..settings import Settings
from .door import main, settings


@main.command("settings")
@click.option("--table", is_flag=True, help="The table of the README, with defaults instead of what is in force.")
def show_settings(table: bool) -> None:
    """Every setting: its name in the environment and in espalier.yaml, what is in force, and what it means."""
    if table:
        click.echo(settings_table())
        return
    read = settings()
    for setting in fields(Settings):
        click.secho(" or ".join(setting.metadata["names"]), bold=True, nl=False)
        click.echo(f"  ({setting.name} in espalier.yaml) = {_shown(getattr(read, setting.name))}")
        click.echo(f"    {setting.metadata['help']}")


def settings_table() -> str:
    """Every setting as a Markdown table."""
    lines = ["| environment | espalier.yaml | default | meaning |", "| --- | --- | --- | --- |"]
    for setting in fields(Settings):
        names = ", ".join(f"`{name}`" for name in setting.metadata["names"])
        choices = setting.metadata["choices"]
        meaning = setting.metadata["help"] + (f" ({', '.join(choices)})" if choices else "")
        lines.append(f"| {names} | `{setting.name}` | {_shown(setting.default)} | {meaning} |")
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value) or "none"
