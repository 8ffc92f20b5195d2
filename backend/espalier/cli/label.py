"""`espalier label`: a label for many frames at once."""

from __future__ import annotations

import getpass
import json
import re
from typing import IO, Any

import click

from ..errors import BadRequest
from ..jobs import bulk_label
from ..jobs.bulk_parameters import AS, BulkParameters
from .door import main
from .following import carry_out, end_with, require_worker
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import counted

_TASK = re.compile(r"(\d+)(?::(\d+)(?:-(\d*))?)?")
_ASKED = ("query", "conditions", "k", "kind")


@main.command()
@click.argument("project")
@click.argument("labels", nargs=-1, required=True, metavar="LABEL...")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="ID[:FRAMES]",
    help="A task, or of it one frame (12:34), some (12:34-80) or all that follow (12:34-); may be repeated.",
)
@click.option(
    "--from",
    "hits",
    type=click.File("rb"),
    metavar="FILE",
    help="What `espalier search --json` printed; - reads it from the pipe.",
)
@click.option("--one-frame", is_flag=True, help="Of a hit in a video its one frame, and not the scene around it.")
@click.option(
    "--player-numbers",
    is_flag=True,
    help="FRAMES are numbers of Label Studio's player; by default they are frames of the file, as a search names them.",
)
@click.option(
    "--as",
    "as_",
    type=click.Choice(AS),
    default="predictions",
    show_default=True,
    help="Predictions are a proposal; annotations are your answer, and are learned from.",
)
@click.option("--with-parents", is_flag=True, help="Also give what an attribute depends on, where nobody has said it.")
@click.option(
    "--also-annotated", is_flag=True, help="As annotations: one more beside a person's; such tasks are left out if not."
)
@click.option("--show", is_flag=True, help="As predictions: the label stream shows them, and no other version's.")
@click.option("--by", metavar="EMAIL", default="", help="The user of Label Studio whose annotations they are.")
@click.option("--note", default="", help="Kept with the run.")
@click.option("--dry-run", is_flag=True, help="Count what would be written and say what would not, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: for programs.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
@click.option("--here", is_flag=True, help="Write in this process instead of asking a running worker.")
def label(
    project: str,
    labels: tuple[str, ...],
    tasks: tuple[str, ...],
    hits: IO[bytes] | None,
    one_frame: bool,
    player_numbers: bool,
    dry_run: bool,
    as_json: bool,
    yes: bool,
    here: bool,
    **chosen: Any,
) -> None:
    """Give LABEL ("Weather: Rain", or "Kind: Animal/Cat") to frames of PROJECT (its id in Label Studio).

    The rules are those of every prediction: an attribute only where its parent is answered, or given too; of a single
    choice one option; and where people have answered otherwise, their answer stays. Nothing that a person made is
    touched. `espalier undo` takes the labels back, except from annotations that somebody has changed since.
    """
    request: dict[str, Any] = {name.rstrip("_"): value for name, value in chosen.items()}
    request["by"] = request["by"] or user_here()
    request["labels"] = [_label(text) for text in labels]
    request["frames"] = [_task(text, "label studio" if player_numbers else "frames") for text in tasks]
    if hits is not None:
        if getattr(hits, "name", "<stdin>") == "<stdin>" and not (yes or dry_run):
            raise BadRequest("the hits come through the pipe, so nobody can be asked: add --yes, or --dry-run")
        request |= _found(hits) | {"scenes": not one_frame}
    parameters = BulkParameters.from_json(request)
    with opened() as house:
        found = find_project(house, project)
        if not dry_run and not here:
            require_worker(house, "prediction")
        with MeteredProgress("looking") as looking:
            counts = bulk_label.preview(house, found, parameters, looking)
        if as_json and dry_run:
            click.echo(json.dumps(counts))
            return
        echo_counts(counts)
        if dry_run or not counts["written"]:
            return
        if not yes:
            click.confirm(f"write {counted(counts['written'], parameters.as_.rstrip('s'))}?", abort=True, err=True)
        house.client(found)
        run = bulk_label.plan(house.records, found, parameters)
        ended = carry_out(house, run, "label", here=here)
    end_with(ended)


def _label(text: str) -> object:
    """Names with : or / in them are written as a JSON list."""
    if not text.startswith("["):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRequest(f'a label that starts with [ is a JSON list like ["Weather", "Rain"], got {text!r}') from error


def _task(text: str, numbering: str) -> dict[str, Any]:
    found = _TASK.fullmatch(text)
    if found is None:
        raise BadRequest(f"--task takes ID, ID:FRAME, ID:FIRST-LAST or ID:FIRST-, got {text!r}")
    task, first, last = found.groups()
    chosen: dict[str, Any] = {"task": int(task), "numbering": numbering}
    if first is not None:
        chosen["first"] = int(first)
        if last != "":
            chosen["last"] = int(last or first)
    return chosen


def _found(file: IO[bytes]) -> dict[str, Any]:
    """The hits, and how they were asked for, as far as they say."""
    try:
        answer = json.load(file)
    except ValueError as error:
        raise BadRequest(
            f"--from takes the JSON that `espalier search --json` prints; this is none: {error}"
        ) from error
    asked = {name: answer[name] for name in _ASKED if name in answer} if isinstance(answer, dict) else {}
    return {"hits": answer, "search": asked or None}


def user_here() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""


def echo_counts(counts: dict[str, Any]) -> None:
    for answer, count in counts["answers"].items():
        click.echo(f"{count:>7}  {answer}")
    for reason, count in counts["reasons"].items():
        click.secho(f"refused in {counted(count, 'task')}: {reason}", fg="yellow")
        alike = [refusal for refusal in counts["refusals"] if refusal["reason"] == reason]
        click.echo("".join(f"         {_where(refusal)}\n" for refusal in alike[:3]), nl=False)
    for problem in counts["problems"]:
        click.secho(f"   note  {problem}", fg="yellow")
    if counts["said"]:
        click.echo(f"{counted(counts['said'], 'frame')} had it already")
    click.echo(f"{counted(counts['written'], counts['as'].rstrip('s'))} in {counted(counts['tasks'], 'selected task')}")


def _where(refusal: dict[str, Any]) -> str:
    """task 12, frames 34-80: Weather: Rain"""
    ranges = [str(first) if first == last else f"{first}-{last}" for first, last in refusal.get("frames", [])]
    frames = f", frame{'' if len(ranges) == 1 and '-' not in ranges[0] else 's'} {', '.join(ranges)}" if ranges else ""
    return f"task {refusal['task']}{frames}: {refusal['label']}"
