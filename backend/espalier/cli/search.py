"""`espalier search | similar`: the frames most like some others, a picture, or words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import click

from ..errors import BadRequest
from ..jobs.house import House
from ..search.sought import UPLOADS
from .asked import answer_to, frames_named, lines_of
from .door import main
from .listing import link
from .opened import opened
from .project import find_project
from .table import counted

Command = TypeVar("Command", bound=Callable[..., Any])
_CONDITIONS = ("label", "predicted", "min_confidence", "max_confidence", "unlabeled", "from_s", "to_s", "first", "last")


def with_conditions(command: Command) -> Command:
    """The options that say which frames may be found."""
    for option in reversed(
        (
            click.option("--label", help='People answered this: "Weather: Rain", or "Weather" for any answer to it.'),
            click.option("--predicted", help="The version that serves answers this."),
            click.option("--min-confidence", type=click.FloatRange(0, 1), help="Of what it answers."),
            click.option("--max-confidence", type=click.FloatRange(0, 1), help="Of what it answers."),
            click.option("--unlabeled/--labeled", default=None, help="People answered nothing, or something."),
            click.option("--tasks", help="Of these tasks: 12,13,20-40."),
            click.option("--media", multiple=True, help="image, sequence, video, or the digest of a media."),
            click.option("--first", type=click.IntRange(1), help="From this frame (or item) on."),
            click.option("--last", type=click.IntRange(1), help="Up to this frame (or item)."),
            click.option("--from-s", type=click.FloatRange(0), help="Of videos, from this second on."),
            click.option("--to-s", type=click.FloatRange(0), help="Of videos, up to this second."),
        )
    ):
        command = option(command)
    return command


def conditions_of(given: dict[str, Any]) -> dict[str, Any]:
    """Takes them out of what a command was given, and says them as a request does."""
    asked = {name: value for name in _CONDITIONS if (value := given.pop(name)) is not None}
    if media := given.pop("media"):
        asked["media"] = list(media)
    if (tasks := given.pop("tasks")) is not None:
        asked["tasks"] = [task for part in tasks.split(",") for task in _range(part.strip())]
    return asked


@main.command()
@click.argument("project")
@click.option(
    "--like", multiple=True, metavar="TASK[:FRAME]", help="An example; may be repeated. 12:34-80 is a region."
)
@click.option("--unlike", multiple=True, metavar="TASK[:FRAME]", help="An example of what is not meant.")
@click.option("--picture", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A picture from a file.")
@click.option("--text", help="Words, where the encoder knows any.")
@with_conditions
@click.option("--k", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many to find.")
@click.option("--every-frame", is_flag=True, help="Of videos every frame by itself, not one hit per scene.")
@click.option("--itself", is_flag=True, help="The examples may be found, too.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs, and for `espalier label --from`.")
def search(
    project: str,
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    picture: Path | None,
    text: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Find the frames of PROJECT (its id in Label Studio) most like examples, a picture, or words.

    Every frame that was ever embedded is searched; `espalier embed` embeds the rest. Several examples, or some with
    --unlike, find what tells them from everything else.
    """
    if sum(map(bool, (like, picture, text))) != 1 or (unlike and not like):
        raise BadRequest("say what to search for: --like TASK (with --unlike TASK), --picture FILE, or --text WORDS")
    query: dict[str, Any] = {"text": text} if text else {}
    if like:
        examples = [frames_named(one, "--like") for one in like]
        query = {"positives": examples, "negatives": [frames_named(one, "--unlike") for one in unlike]}
        if len(like) == 1 and not unlike:
            query = examples[0]
    with opened() as house, _uploaded(house, picture) as name:
        _search(house, project, {"picture": name} if name else query, given, as_json=as_json)


@main.command()
@click.argument("project")
@click.argument("task", type=int)
@click.argument("frame", type=click.IntRange(1), required=False)
@with_conditions
@click.option("--k", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many to find.")
@click.option("--every-frame", is_flag=True, help="Of videos every frame by itself, not one hit per scene.")
@click.option("--itself", is_flag=True, help="The frame itself may be found, too.")
@click.option("--here", is_flag=True, help="In this process, though a search worker runs.")
@click.option("--json", "as_json", is_flag=True, help="For programs, and for `espalier label --from`.")
def similar(project: str, task: int, frame: int | None, as_json: bool, **given: Any) -> None:
    """Find the frames of PROJECT most like TASK, or one FRAME of it (counted from 1)."""
    query = {"task": task} if frame is None else {"task": task, "frame": frame}
    with opened() as house:
        _search(house, project, query, given, as_json=as_json)


def _search(house: House, project: str, query: dict[str, Any], given: dict[str, Any], *, as_json: bool) -> None:
    found = find_project(house, project)
    request = {
        "query": query,
        "conditions": conditions_of(given),
        "k": given["k"],
        "scenes": not given["every_frame"],
        "except_itself": not given["itself"],
    }
    answer = answer_to(house, found, "search", request, here=given["here"])
    if as_json:
        for hit in answer["hits"]:
            hit["link"] = link(house, found, hit["task"])
        asked = {name: request[name] for name in ("query", "conditions", "k")}
        click.echo(json.dumps({**asked, **answer}, indent=1))
        return
    for line in lines_of(house, found, answer["hits"]):
        click.echo(line)
    index = answer["index"]
    how = index["kind"] if index["recall"] is None else f"{index['kind']}, recall {index['recall']:.3f}"
    click.echo(f"{answer['searched']} of {counted(answer['of'], 'frame')} searched ({how})", err=True)
    if answer["note"]:
        click.secho(answer["note"], fg="yellow", err=True)


@contextmanager
def _uploaded(house: House, picture: Path | None) -> Iterator[str | None]:
    """A worker reads pictures from one place alone: there it lies while it is searched for."""
    if picture is None:
        yield None
        return
    uploads = house.settings.data_dir / UPLOADS
    uploads.mkdir(parents=True, exist_ok=True)
    copy = uploads / f"{uuid4().hex}{picture.suffix.lower()}"
    try:
        shutil.copyfile(picture, copy)
        yield copy.name
    finally:
        copy.unlink(missing_ok=True)


def _range(text: str) -> range:
    first, dash, last = text.partition("-")
    try:
        return range(int(first), int(last if dash else first) + 1)
    except ValueError:
        raise BadRequest(f"--tasks takes ids like 12,13,20-40, got {text!r}") from None
