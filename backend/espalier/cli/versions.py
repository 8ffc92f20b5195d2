"""`espalier versions`: what was trained, on what, how well, what is still missing, and why it serves or does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ..jobs.tuning import settle
from ..store.rows import ModelVersion, Promotion
from .door import main
from .opened import opened
from .project import find_project
from .table import columns, counted, duration, moment

_LISTED = 8
"""Names of options that one line holds."""


@main.command()
@click.argument("project")
@click.option("--details", is_flag=True, help="Everything about every version, not only about the one that serves.")
@click.option("--history", is_flag=True, help="Which version served when, who decided it, and why.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is kept of the versions, for programs.")
def versions(project: str, details: bool, history: bool, as_json: bool) -> None:
    """The model versions of PROJECT, the newest first.

    Below the one that serves stands a line for each classification: accuracy and macro-F1 on frames that its model had
    not seen, how many frames people answered, and which options nobody has answered yet; then what it was trained on,
    and what the promotion gate found. Of a version that was refused, the reasons are always there.
    """
    with opened() as house:
        found = find_project(house, project)
        rows = house.records.versions(found.key)
        if any(row.state == "training" for row in rows):
            settle(house, found.key)
            rows = house.records.versions(found.key)
        promotions = house.records.promotions(found.key)
    if as_json:
        click.echo(json.dumps(_json(found.served, rows, promotions), indent=1))
        return
    if history:
        for line in columns([_promotion(promotion) for promotion in promotions]) or ["nothing has served yet"]:
            click.echo(line)
        return
    if not rows:
        click.echo("no model version yet: label a few frames with at least two different options")
    for row in rows:
        serving = row.name == found.served
        for line in lines_of(row, serving=serving, details=details or serving):
            click.echo(line)


def lines_of(version: ModelVersion, *, serving: bool, details: bool = True) -> Iterator[str]:
    """One line about a version, and the reasons where it was refused; with `details` all that people want to know."""
    why = list(version.gate.get("reasons", ()))
    refused = version.gate.get("promote") is False
    state = "serves" if serving else "refused" if refused and version.state == "candidate" else version.state
    yield f"{version.name:<14}{state:<10}{moment(version.created_at)}  {_message(version, why)}"
    if details:
        questions = version.metrics.get("questions", [])
        yield from (f"    {line}" for line in columns([_row(question) for question in questions]))
        for note in dict.fromkeys(note for question in questions for note in question.get("notes", ())):
            yield f"    note: {note}"
        if origin := _origin(version):
            yield f"    {origin}"
    if details or refused:
        yield from (f"    gate: {'refused, ' if refused else ''}{reason}" for reason in why)


def _message(version: ModelVersion, why: Sequence[str]) -> str:
    """Without what stands in other lines: the encoder's story, and the reasons of the gate."""
    if version.state == "training":
        return _how_far(version)
    message, reason = version.message, str(version.encoder.get("reason", ""))
    if reason:
        message = message.replace(f" ({reason})", "")
    before, found, after = message.partition(f"{'; '.join(why)}; ")
    return after if found and before.startswith("not promoted") else message


def _how_far(version: ModelVersion) -> str:
    """A fine-tuning that is not over."""
    far = version.metrics.get("tuning", {})
    if not far:
        return version.message
    left = f", {duration(far['left_s'])} left" if far.get("left_s") is not None else ""
    return f"step {far['step']} of {far['steps']}{left}; {version.message}"


def _origin(version: ModelVersion) -> str:
    """Frames, parts, lineage and size, as far as they are known."""
    learned, said = version.trained_on, []
    if "frames" in learned:
        parts = ", ".join(f"{count} {part}" for part, count in learned.get("parts", {}).items() if count)
        said.append(f"{counted(learned['frames'], 'frame')} of {learned.get('media', 0)} media ({parts})")
    if version.parent:
        said.append(f"after {version.parent}")
    if version.size_bytes:
        said.append(f"{version.size_bytes / 1e6:.1f} MB")
    return "; ".join(said)


def _promotion(promotion: Promotion) -> tuple[str, ...]:
    instead = f"instead of {promotion.previous}" if promotion.previous else ""
    by = {"gate": "by the gate", "person": "by hand", "rollback": "by hand, back"}[promotion.by]
    return moment(promotion.at), promotion.version, instead, by, promotion.reason


def _json(served: str | None, rows: Sequence[ModelVersion], promotions: Sequence[Promotion]) -> dict[str, Any]:
    """The newest first, as they are kept; times in ISO 8601."""
    return {
        "served": served,
        "versions": [vars(row) | {"created_at": row.created_at.isoformat()} for row in rows],
        "promotions": [vars(row) | {"at": row.at.isoformat()} for row in promotions],
    }


def _row(question: Mapping[str, Any]) -> tuple[str, str]:
    name = " / ".join((question["classification"], *question["parent"]))
    if not question["trained"]:
        return name, f"not trained: {question['reason']}"
    if "accuracy" not in question:
        return name, "not measured: nobody has answered it yet"
    measured = f"accuracy {question['accuracy']:4.0%}  macro-F1 {question['macro_f1']:4.0%}"
    unanswered = [" / ".join(option["path"]) for option in question["options"] if not option["count"]]
    missing = f"; nobody has answered: {_listed(unanswered)}" if unanswered else ""
    return name, f"{measured}  {counted(int(question['rows']), 'frame')}{missing}"


def _listed(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
