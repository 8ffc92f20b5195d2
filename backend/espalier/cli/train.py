"""`espalier train`: the same training that annotations cause."""

from __future__ import annotations

import click

from ..jobs.training import train as train_now
from .door import main
from .following import follow, require_worker
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .versions import lines_of


@main.command()
@click.argument("project")
@click.option("--here", is_flag=True, help="Train in this process instead of asking a running worker.")
def train(project: str, here: bool) -> None:
    """Train PROJECT (its id in Label Studio) on every annotation so far.

    Annotations do this by themselves; this reads all of the project from Label Studio first.
    """
    with opened() as house:
        key = find_project(house, project).key
        before = {version.name for version in house.records.versions(key)}
        if here:
            with MeteredProgress("training") as progress:
                train_now(house, key, progress, reconcile=True)
        else:
            require_worker(house, "training")
            job = house.queues.request_training(key, delay=False, reconcile=True)
            follow(house, job, "training")
        made = [version for version in house.records.versions(key) if version.name not in before]
        if not made:
            said = "" if here else house.queues.result(job)
            raise click.ClickException(f"no new model version: {said or 'see the log of the worker'}")
        for line in lines_of(made[0], serving=True):
            click.echo(line)
