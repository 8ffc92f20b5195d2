"""`espalier doctor`: does everything answer, and if not, what to do. The first thing to run when something is wrong."""

from __future__ import annotations

import click

from ..checking.installation import examine
from .door import main
from .opened import opened

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


@main.command()
def doctor() -> None:
    """Check disk, database, queue, workers, encoder, plugins and Label Studio.

    Ends with 1 where something failed; warnings are things that work, but not as well as they could. It leaves nothing
    running behind.
    """
    states = []
    with opened(new=True) as house:
        for check in examine(house):
            states.append(check.state)
            click.secho(f"{check.state:<9}", fg=_COLOURS[check.state], nl=False)
            click.echo(f"{check.name:<20}{check.found}")
            if check.remedy:
                click.echo(f"{'':<29}→ {check.remedy}")
    failed, warned = states.count("failed"), states.count("warning")
    click.echo(f"\n{failed} failed, {warned} to look at, {states.count('ok')} in order")
    raise SystemExit(1 if failed else 0)
