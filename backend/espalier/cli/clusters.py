"""`espalier clusters | map`: which frames belong together, and a map of them all."""

from __future__ import annotations

from typing import Any

import click

from .asked import answer_to, echo_members, place
from .door import main
from .linked import echo_linked
from .listing import link
from .opened import opened
from .project import find_project
from .search import conditions_of, with_conditions
from .table import columns, counted

_TYPICAL = 3


@main.command()
@click.argument("project")
@click.option("--method", type=click.Choice(["kmeans", "density"]), default="kmeans", show_default=True,
              help="As many as asked for, or as there are; the latter leaves out what is in none.")  # fmt: skip
@click.option("--count", type=click.IntRange(1, 500), help="How many, by k-means.")
@click.option("--smallest", type=click.IntRange(2), help="Frames that make a cluster, by density (HDBSCAN).")
@click.option("--classification", help="Names come from this one alone.")
@with_conditions
@click.option("--cluster", type=click.IntRange(1), help="All frames of this one, for `espalier label --from`.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def clusters(
    project: str,
    method: str,
    count: int | None,
    smallest: int | None,
    classification: str | None,
    cluster: int | None,
    here: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Clusters of the frames of PROJECT (its id in Label Studio), the largest first.

    A cluster is named by the label that sets it apart from the rest, with its share in the cluster and among all.
    """
    asked = {"count": count, "smallest": smallest, "classification": classification}
    request = {"method": method, "conditions": conditions_of(given), "members": cluster is not None}
    request |= {name: value for name, value in asked.items() if value is not None}
    with opened() as house:
        found = find_project(house, project)
        answer = answer_to(house, found, "clusters", request, here=here)
        told = answer["clusters"]
        if cluster is not None:
            echo_members(house, found, told, cluster, "cluster", as_json=as_json)
            return
        if as_json:
            echo_linked(house, found, answer)
            return
        rows: list[tuple[str, ...]] = [
            (
                str(one["number"] + 1),
                counted(one["size"], "frame"),
                one["name"] if one["label"] else "-",
                f"{one['label']['share']:.0%} (of all {one['label']['usual']:.0%})" if one["label"] else "",
                ", ".join(place(hit) for hit in one["typical"][:_TYPICAL]),
                link(house, found, one["typical"][0]["task"]) if one["typical"] else "",
            )
            for one in told
        ]
        for line in columns(rows or [("nothing to cluster",)]):
            click.echo(line)
    if answer["in_none"]:
        click.echo(f"{answer['in_none']} of {counted(answer['frames'], 'frame')} are in none", err=True)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)


@main.command("map")
@click.argument("project")
@click.option("--method", type=click.Choice(["auto", "pca", "umap"]), default="auto", show_default=True,
              help="auto is UMAP where it is installed, else PCA.")  # fmt: skip
@click.option("--most", type=click.IntRange(1, 100_000), help="Points; of more frames, an even sample.")
@click.option("--classification", help="Labels come from this one alone.")
@with_conditions
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs: labels by their names are numbers of a list.")
def map_(
    project: str, method: str, most: int | None, classification: str | None, here: bool, as_json: bool, **given: Any
) -> None:
    """A map of the frames of PROJECT (its id in Label Studio) in the plane, as a table of points: near means alike."""
    asked: dict[str, Any] = {"most": most, "classification": classification}
    request = {"method": method, "conditions": conditions_of(given)}
    request |= {name: value for name, value in asked.items() if value is not None}
    with opened() as house:
        found = find_project(house, project)
        answer = answer_to(house, found, "map", request, here=here)
        if as_json:
            echo_linked(house, found, answer)
            return
    points, labels = answer["points"], answer["labels"]
    rows: list[tuple[str, ...]] = [
        (f"task {task}", f"frame {frame}", f"{x:.4f}", f"{y:.4f}", labels[label] if label >= 0 else "-")
        for task, frame, x, y, label in zip(
            *(points[name] for name in ("task", "frame", "x", "y", "label")), strict=True
        )
    ]
    for line in columns(rows or [("nothing to map",)]):
        click.echo(line)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)
