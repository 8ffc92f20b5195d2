"""`espalier quality`: duplicates, outliers and poor pictures of a project."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import click

from ..jobs.quality import QualityReport
from ..jobs.quality import quality as look_at
from .door import main
from .listing import link
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import columns, counted

_TASKS_OF_A_GROUP = 8


@main.command()
@click.argument("project")
@click.option("--count", default=20, show_default=True, type=click.IntRange(1), help="How many of each kind to show.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all of them.")
def quality(project: str, count: int, as_json: bool) -> None:
    """Duplicates, outliers and poor pictures among all tasks of PROJECT (its id in Label Studio).

    Every picture is looked at, and embedded if it was not before, in this process; nothing is changed.
    """
    with opened() as house:
        found = find_project(house, project)
        with MeteredProgress("quality") as progress:
            report = look_at(house, found.key, progress)

        def to(task_id: int) -> str:
            return link(house, found, task_id)

        if as_json:
            told = report.to_json()
            for entry in (*told["outliers"], *told["poor"]):
                entry["link"] = to(entry["task_id"])
            for group in told["duplicates"]:
                group["links"] = [to(task_id) for task_id in group["tasks"]]
            click.echo(json.dumps(told, indent=1))
            return
        for line in lines_of(report, count, to):
            click.echo(line)


def lines_of(report: QualityReport, count: int, link_to: Callable[[int], str]) -> Iterator[str]:
    """A heading for each kind with its count, and at most `count` lines below it."""
    yield f"{counted(report.tasks, 'task')}, {counted(report.pictures, 'picture')} looked at"
    for kind, name in (("exact", "the same picture"), ("near", "nearly the same picture")):
        groups = [group for group in report.duplicates if group.kind == kind]
        spare = sum(len(group.tasks) - 1 for group in groups)
        yield f"{name}: {counted(len(groups), 'group')}, {counted(spare, 'task')} to spare"
        rows = [
            (_tasks(group.tasks), "labeled differently" if group.labels_differ else "", link_to(group.tasks[0]))
            for group in sorted(groups, key=lambda group: not group.labels_differ)
        ]
        yield from _some(rows, count)
    yield f"outliers: {counted(len({one.task_id for one in report.outliers}), 'task')}"
    yield from _some([(f"task {one.task_id}", one.sentence, link_to(one.task_id)) for one in report.outliers], count)
    kinds = Counter(verdict.partition(":")[0] for picture in report.poor for verdict in picture.verdicts)
    told = f" ({', '.join(f'{number} {kind}' for kind, number in kinds.most_common())})" if kinds else ""
    yield f"poor pictures: {len(report.poor)}{told}"
    yield from _some([(f"task {one.task_id}", one.sentence, link_to(one.task_id)) for one in report.poor], count)
    if report.problems:
        yield f"could not be read: {len(report.problems)}"
        yield from _some([(problem,) for problem in report.problems], count)
    if report.note:
        yield report.note


def _some(rows: Sequence[tuple[str, ...]], count: int) -> Iterator[str]:
    for line in columns(rows[:count]) if rows else ():
        yield f"  {line}"
    if len(rows) > count:
        yield f"  and {len(rows) - count} more"


def _tasks(tasks: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, tasks[:_TASKS_OF_A_GROUP]))
    more = len(tasks) - _TASKS_OF_A_GROUP
    return f"tasks {shown}" + (f" and {more} more" if more > 0 else "")
