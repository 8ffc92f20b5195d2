"""`espalier token add | list | remove`: who may use the REST API besides people with the password."""

from __future__ import annotations

from datetime import datetime, timezone

import click

from ..store.tokens import ROLES, Token
from .door import main
from .opened import opened
from .table import columns, moment


@main.group()
def token() -> None:
    """Tokens for programs that use the REST API (/api/v1): a viewer reads, an annotator also labels, a manager does
    everything. Where no password is set, this machine needs none."""


@token.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What it may do.")
@click.option("--days", type=float, help="How long it holds; until it is removed by default.")
def add(name: str, role: str, days: float | None) -> None:
    """Make a token called NAME and print it, once: only its hash is kept."""
    with opened(new=True) as house:
        _, text = house.records.create_token(name, role, days=days)
    click.echo(text)
    click.echo("send it as `Authorization: Bearer <token>`; it is not shown again", err=True)


@token.command("list")
def list_tokens() -> None:
    """The tokens, the newest first."""
    with opened(new=True) as house:
        found = house.records.tokens()
    for line in columns([(one.id, one.name, one.role, moment(one.created_at), _until(one)) for one in found]):
        click.echo(line)
    if not found:
        click.echo("no token yet: `espalier token add NAME --role viewer` makes one")


@token.command()
@click.argument("name")
def remove(name: str) -> None:
    """Refuse the token NAME (or its id) from now on."""
    with opened(new=True) as house:
        gone = house.records.remove_token(name)
    click.echo(f"{gone.name} ({gone.role}) is refused from now on")


def _until(token: Token) -> str:
    if token.expires_at is None:
        return "until removed"
    over = token.expires_at <= datetime.now(timezone.utc)
    return f"{'held until' if over else 'until'} {moment(token.expires_at)}"
