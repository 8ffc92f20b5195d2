"""`espalier cutoffs`: how sure an answer must be, chosen for everything, for a classification, or for one option."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from ..errors import BadRequest
from ..jobs.cutoffs import CutoffsNow, cutoffs_now, policy_of, set_policy
from ..judging.coverage_words import percent
from ..judging.cutoff_policy import Choice, CutoffPolicy
from ..judging.own_cutoffs import OwnCutoff
from .door import main
from .opened import opened
from .project import find_project
from .table import columns, counted


@main.command()
@click.argument("project")
@click.option("--best-f1", is_flag=True, help="The best balance between wrong answers and missing ones.")
@click.option("--precision", type=float, help="Answers are right at least this often, like 0.98; others are withheld.")
@click.option("--all", "value", type=float, help="This cutoff for all.")
@click.option("--set", "chosen", multiple=True, help="One by hand: `Weather/Rain=0.7`, or `Weather=0.7` for all of it.")
@click.option("--classification", help="What is shown, or what a choice is about; else everything.")
@click.option("--reset", is_flag=True, help="As training and the labeling configuration have it.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def cutoffs(
    project: str,
    best_f1: bool,
    precision: float | None,
    value: float | None,
    chosen: tuple[str, ...],
    classification: str | None,
    reset: bool,
    as_json: bool,
) -> None:
    """The cutoffs of PROJECT, and what they do; with a choice, the old ones beside the new.

    A choice holds at once for the version that serves, and for every version trained later. A run's own --confidence
    wins over it. A choice for everything replaces what was chosen for single classifications and options before.
    """
    asked = _asked(best_f1, precision, value, reset)
    with opened() as house:
        found = find_project(house, project)
        if asked is None and not reset and not chosen:
            _show(cutoffs_now(house, found), classification, as_json)
            return
        names = [one.name for one in house.ontology(found)]
        policy = policy_of(found)
        if asked is not None or reset:
            policy = _chosen_for(policy, classification, asked)
        for text in chosen:
            policy = _set(policy, text, names)
        change = set_policy(house, found, policy)
    if as_json:
        metrics = {"metrics": change.metrics, "dropped": change.dropped}
        click.echo(json.dumps({"before": _json(change.before), **_json(change.after), **metrics}, indent=1))
        return
    if change.after.version is None:
        click.echo("kept; it holds as soon as a model version serves")
        return
    click.echo(f"{change.after.version} answers by these cutoffs now")
    for line in lines_of(change.after, change.before):
        click.echo(line)
    if change.dropped:
        click.echo(f"{counted(change.dropped, 'prediction')} will be made anew; retrieve them again in Label Studio")


def lines_of(now: CutoffsNow, before: CutoffsNow | None = None) -> Iterator[str]:
    """A line for each option, its figures with what they were before, and a word where a promise could not be made."""
    own = {(entry.classification, entry.option): entry for entry in now.own.entries}
    old = {_name(figure): figure for figure in before.figures} if before else {}
    rows = [("", "cutoff", "chosen by", "precision", "recall", "coverage")]
    for figure in now.figures:
        was = old.get(_name(figure))
        cells = [_both(figure, was, name) for name in ("precision", "recall", "coverage")]
        entry = own.get((figure["classification"], tuple(figure["option"])))
        cutoff = f"{figure['cutoff']:.2f}"
        if was and f"{was['cutoff']:.2f}" != cutoff:
            cutoff = f"{was['cutoff']:.2f} > {cutoff}"
        rows.append((_name(figure), cutoff, _how(entry), cells[0], cells[1], cells[2]))
    yield from columns(rows)
    withheld = [_title(entry) for entry in now.own.entries if entry.kept == "no"]
    if withheld:
        yield f"never answered, for no cutoff keeps that promise yet: {', '.join(withheld)}"
        yield "`espalier coverage` says what can be promised; more labels make it more"


def _asked(best_f1: bool, precision: float | None, value: float | None, reset: bool) -> Choice | None:
    given = sum((best_f1, precision is not None, value is not None, reset))
    if given > 1:
        raise BadRequest("choose one of --best-f1, --precision, --all and --reset")
    if best_f1:
        return Choice("best_f1")
    if precision is not None:
        return Choice("precision", precision)
    return Choice("by_hand", value) if value is not None else None


def _chosen_for(policy: CutoffPolicy, classification: str | None, choice: Choice | None) -> CutoffPolicy:
    if classification is None:
        return policy.for_everything(choice)
    return policy.for_classification(classification, choice)


def _set(policy: CutoffPolicy, text: str, classifications: Sequence[str]) -> CutoffPolicy:
    name, _, number = text.rpartition("=")
    try:
        cutoff = float(number)
    except ValueError:
        name = ""
    if not name:
        raise BadRequest(f"--set takes `classification/option=cutoff`, like 'Weather/Rain=0.7', got {text!r}")
    choice = Choice("by_hand", cutoff)
    return policy.for_classification(name, choice) if name in classifications else policy.for_option(name, choice)


def _show(now: CutoffsNow, classification: str | None, as_json: bool) -> None:
    if classification is not None:
        figures = tuple(figure for figure in now.figures if figure["classification"] == classification)
        now = replace(now, figures=figures)
    if as_json:
        click.echo(json.dumps(_json(now), indent=1))
    elif now.version is None:
        click.echo("no model version yet: label a few frames with at least two different options")
    else:
        click.echo(f"{now.version} answers by these cutoffs")
        for line in lines_of(now):
            click.echo(line)


def _json(now: CutoffsNow) -> dict[str, Any]:
    return {
        "version": now.version,
        "policy": now.policy.to_json(),
        "own": now.own.to_json(),
        "figures": list(now.figures),
    }


def _how(entry: OwnCutoff | None) -> str:
    if entry is None:
        return "default"
    if entry.strategy == "by_hand":
        return "hand"
    if entry.strategy == "best_f1" or entry.target is None:
        return "best F1"
    kept = {"alone": "", "together": ", with others", "no": ": not yet"}[entry.kept]
    return f"precision {percent(entry.target)}{kept}"


def _both(figure: Mapping[str, Any], was: Mapping[str, Any] | None, name: str) -> str:
    new = _percent(figure[name])
    return new if was is None or _percent(was[name]) == new else f"{_percent(was[name])} > {new}"


def _percent(share: float | None) -> str:
    return "-" if share is None else percent(share)


def _name(figure: Mapping[str, Any]) -> str:
    return " / ".join((figure["classification"], *figure["option"]))


def _title(entry: OwnCutoff) -> str:
    return " / ".join((entry.classification, *entry.option))
