"""`espalier duplicates | pairs`: frames that show the same, and those that are most alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from ..jobs.house import House
from ..store.rows import Project
from .asked import answer_to, labels_in, place
from .door import main
from .linked import echo_linked
from .listing import link
from .opened import opened
from .project import find_project
from .search import conditions_of, with_conditions
from .table import columns, counted

_HITS_SHOWN = 6


@main.command()
@click.argument("project")
@with_conditions
@click.option(
    "--min-score", type=click.FloatRange(0, 1), help="Nearly the same from this cosine on; else it is chosen."
)
@click.option("--k", default=100, show_default=True, type=click.IntRange(1, 1000), help="How many groups of a kind.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def duplicates(project: str, min_score: float | None, k: int, here: bool, as_json: bool, **given: Any) -> None:
    """Frames of PROJECT (its id in Label Studio) that show the same, exactly or nearly.

    The first of a group is the one to keep: people labeled it, or it was there first. A stretch of a video counts as
    one. Nothing is changed.
    """
    request = {"conditions": conditions_of(given), "k": k}
    if min_score is not None:
        request["min_score"] = min_score
    with opened() as house:
        found = find_project(house, project)
        answer = answer_to(house, found, "duplicates", request, here=here)
        if as_json:
            echo_linked(house, found, answer)
            return
        for line in _groups(house, found, answer):
            click.echo(line)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)


@main.command()
@click.argument("project")
@with_conditions
@click.option("--against", help='The other frame of a pair is labeled so: "Weather: Rain".')
@click.option("--against-unlabeled", is_flag=True, help="People have answered nothing about the other frame.")
@click.option("--min-score", type=click.FloatRange(-1, 1), help="The least cosine.")
@click.option("--k", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def pairs(
    project: str,
    against: str | None,
    against_unlabeled: bool,
    min_score: float | None,
    k: int,
    here: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """The most similar pairs among all frames of PROJECT (its id in Label Studio), or between two sets of them.

    Neighbouring frames of a video are no pair.
    """
    request: dict[str, Any] = {"conditions": conditions_of(given), "k": k}
    other = ({"label": against} if against else {}) | ({"unlabeled": True} if against_unlabeled else {})
    request |= ({"against": other} if other else {}) | ({} if min_score is None else {"min_score": min_score})
    with opened() as house:
        found = find_project(house, project)
        answer = answer_to(house, found, "pairs", request, here=here)
        if as_json:
            echo_linked(house, found, answer)
            return
        rows = []
        for pair in answer["pairs"]:
            first, second = pair["hits"]
            cells = [cell for hit in (first, second) for cell in (place(hit), labels_in(hit["labels"]))]
            rows.append((f"{pair['score']:.3f}", *cells, link(house, found, second["task"])))
        for line in columns(rows or [("nothing found",)]):
            click.echo(line)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)


def _groups(house: House, project: Project, answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"{counted(answer['frames'], 'frame')} compared, {answer['redundant']} to spare"
    for kind, name in (("exact", "the same"), ("near", f"nearly the same (cosine {answer['min_score']:.3f} and up)")):
        yield f"{name}: {counted(answer[kind], 'group')}"
        told = [group for group in answer["groups"] if group["kind"] == kind]
        rows = [
            (
                _members(group),
                "labeled differently" if group["labels_differ"] else "",
                link(house, project, group["hits"][0]["task"]),
            )
            for group in sorted(told, key=lambda group: not group["labels_differ"])
            if group["hits"]
        ]
        for line in columns(rows) if rows else ():
            yield f"  {line}"
        if answer[kind] > len(told):
            yield f"  and {answer[kind] - len(told)} more"


def _members(group: Mapping[str, Any]) -> str:
    places = [place(hit) for hit in group["hits"]]
    places += [f"task {task}" for hit in group["hits"] for task in hit["also"]]
    more = f" and {len(places) - _HITS_SHOWN} more" if len(places) > _HITS_SHOWN else ""
    return ", ".join(places[:_HITS_SHOWN]) + more
