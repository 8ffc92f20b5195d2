"""`espalier train`: the same training that annotations cause, and what all of them learn from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import click

from ..errors import BadRequest
from ..jobs.choosing import keep, parameters_of
from ..jobs.label_counts import label_counts
from ..jobs.training import train as train_now
from ..learning.training_parameters import CLASS_WEIGHTS, TrainingParameters
from .door import main
from .following import follow, require_worker
from .labels import show_doubts
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import columns, counted
from .versions import lines_of

_VALIDATION = ("val_tasks", "val_filter", "split_column")
"""Three ways to choose the validation set: who takes one of them leaves the others."""
_OPTIONS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("classifications", "--classification", {"multiple": True}, "Learn only this one; may be repeated."),
    ("leave_out", "--leave-out", {"multiple": True}, "A classification, or CLASSIFICATION/OPTION, not to learn."),
    ("tasks", "--task", {"multiple": True, "type": int}, "Learn from this task only (its id); may be repeated."),
    ("filter", "--filter", {}, "Learn from: all, labeled, view=<tab id>, or <data field>=<pattern with * and ?>."),
    ("val_split", "--val-split", {"type": float}, "Share of the media to choose by, 0 to 0.5; 0.15 by default."),
    ("test_split", "--test-split", {"type": float}, "Share of the media to judge on at the end; 0.15 by default."),
    ("val_tasks", "--val-task", {"multiple": True, "type": int}, "A task of the validation set; may be repeated."),
    ("val_filter", "--val-filter", {}, "The validation set, by a filter as above."),
    ("split_column", "--split-column", {}, "The data field that says train, validation or test of each task."),
    ("group_column", "--group-column", {}, "A data field; tasks of equal value stay on one side of every check."),
    ("seed", "--seed", {"type": int}, "Deals the parts by chance in another way."),
    ("class_weight", "--class-weight", {"type": click.Choice(CLASS_WEIGHTS)}, "balanced: rare classes count more."),
    ("class_weights", "--weight", {"multiple": True}, "CLASSIFICATION/OPTION=WEIGHT; 1 by default."),
    ("accepted_weight", "--accepted-weight", {"type": float}, "What answers accepted in bulk count; 0 by default."),
    ("confirmed_weight", "--confirmed-weight", {"type": float}, "What answers count that confirm a prediction; 1."),
    ("default_labels", "--default-label", {"multiple": True}, "CLASSIFICATION=OPTION that counts where several hold."),
    ("single_label", "--single-label", {"multiple": True}, "Learn this multiple choice as if one option held."),
    ("one_vs_rest", "--one-vs-rest", {"multiple": True}, "Learn this single choice as a yes or no for each option."),
    ("background", "--background", {}, "A filter: tasks that show none of the options, annotated or not."),
    ("min_images", "--min-images", {"type": int}, "Warn of classes with fewer images; 15 by default."),
    ("frozen", "--frozen/--no-frozen", {"default": None}, "Leave a fine-tuned network, back to the settings' encoder."),
    ("search", "--search/--no-search", {"default": None}, "Whether the classifier may look for its own parameters."),
)  # fmt: skip
"""Field of TrainingParameters, option, how click reads it, and its help."""


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    for name, option, how, text in reversed(_OPTIONS):
        command = click.option(option, name, help=text, **how)(command)
    return command


@main.command()
@click.argument("project")
@click.option("--here", is_flag=True, help="Train in this process instead of asking a running worker.")
@click.option("--show", is_flag=True, help="Print what is kept for this project's trainings, and train nothing.")
@click.option("--reset", is_flag=True, help="Forget what was kept before, and begin with the defaults.")
@_chosen
def train(project: str, here: bool, show: bool, reset: bool, **given: Any) -> None:
    """Train PROJECT (its id in Label Studio) on every annotation so far, or on what the options choose.

    Annotations do this by themselves; this reads all of the project from Label Studio first. What is chosen here is
    kept, and holds for every training of the project until it is chosen otherwise: an empty text ("") takes back one
    choice, --reset all of them.
    """
    with opened() as house:
        found = find_project(house, project)
        before = TrainingParameters() if reset else parameters_of(found)
        parameters = changed(before, given)
        if show:
            for line in lines_about(parameters):
                click.echo(line)
            return
        if not here:
            require_worker(house, "training")
        found = keep(house, found, parameters)
        counts = label_counts(house, found, parameters)
        answered = [question for question in counts.questions if question.frames]
        click.echo(
            f"{counted(len(answered), 'classification')} answered on "
            f"{max((question.media for question in answered), default=0)} media; "
            f"`espalier labels {found.id}` shows the counts"
        )
        show_doubts(counts)
        earlier = {version.name for version in house.records.versions(found.key)}
        if here:
            with MeteredProgress("training") as progress:
                train_now(house, found.key, progress, reconcile=True)
        else:
            job = house.queues.request_training(found.key, delay=False, reconcile=True)
            follow(house, job, "training")
        made = [version for version in house.records.versions(found.key) if version.name not in earlier]
        if not made:
            said = "" if here else house.queues.result(job)
            raise click.ClickException(f"no new model version: {said or 'see the log of the worker'}")
        serving = house.project(found.key).served == made[0].name
        for line in lines_of(made[0], serving=serving):
            click.echo(line)


def changed(before: TrainingParameters, given: Mapping[str, Any]) -> TrainingParameters:
    """What was kept, with what is given now in its place; None and () are not given, "" takes back.

    Raises BadRequest for what is out of range, or is no pair where one is needed.
    """
    changes = {name: value for name, value in given.items() if value is not None and value != ()}
    if any(changes.get(name) for name in _VALIDATION):
        changes = {**dict.fromkeys(_VALIDATION), **changes}
    default = TrainingParameters()
    changes |= {name: getattr(default, name) for name, value in changes.items() if value in ("", ("",))}
    if texts := changes.get("class_weights"):
        changes["class_weights"] = dict(map(_weight, texts))
    if texts := changes.get("default_labels"):
        changes["default_labels"] = dict(_pair(text, "--default-label takes CLASSIFICATION=OPTION") for text in texts)
    return dataclasses.replace(before, **changes)


def lines_about(parameters: TrainingParameters) -> list[str]:
    """Every parameter, marked where it is not the default."""
    rows = []
    for entry in dataclasses.fields(TrainingParameters):
        value = getattr(parameters, entry.name)
        is_default = value == getattr(TrainingParameters(), entry.name)
        rows.append((entry.name, _shown(value), "" if is_default else "chosen"))
    return columns(rows)


def _shown(value: object) -> str:
    if value is None or value in ((), {}):
        return "-"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return str(value)


def _pair(text: str, expected: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not (name and equals and value):
        raise BadRequest(f"{expected}, got {text!r}")
    return name, value


def _weight(text: str) -> tuple[str, float]:
    expected = "--weight takes CLASSIFICATION/OPTION=WEIGHT"
    name, value = _pair(text, expected)
    try:
        return name, float(value)
    except ValueError:
        raise BadRequest(f"{expected}, got {text!r}") from None
