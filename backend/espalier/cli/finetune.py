"""`espalier finetune`: a network of one's own, from all answers so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ..errors import BadRequest
from ..jobs import tuning
from ..jobs.house import House
from ..jobs.label_counts import label_counts
from ..jobs.queue import job_of_tuning
from ..jobs.tuning_estimate import Estimate, estimate
from ..store.rows import ModelVersion, Project
from ..tuning_parameters import TuningParameters
from .door import main
from .following import follow, require_worker
from .labels import lines_of as lines_of_labels
from .labels import show_doubts
from .meter import MeteredProgress
from .opened import opened
from .project import find_project
from .table import counted, duration
from .versions import lines_of

_NUMBER, _WHOLE = {"type": float}, {"type": int}
_OPTIONS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("model", "--model", {}, "A timm name, or one like RESNET50, VGG16, VIT; by default the preset's."),
    ("preset", "--preset", {"type": click.Choice(("fast", "balanced", "accurate"))}, "Size of the network."),
    ("pretrained", "--pretrained", {}, "yes (the default), no (from scratch), or an own version to go on from."),
    ("epochs", "--epochs", _WHOLE, "How often every frame is seen."),
    ("minutes", "--minutes", _NUMBER, "Instead: learn for as long."),
    ("lr", "--lr", _NUMBER, "Learning rate."),
    ("batch_size", "--batch-size", _WHOLE, "Frames a step."),
    ("imgsz", "--imgsz", _WHOLE, "Height and width of the pictures: 224, 256, 320, 384 or another multiple of 32."),
    ("weight_decay", "--weight-decay", _NUMBER, "Pulls weights towards 0; 0.05 by default."),
    ("dropout", "--dropout", _NUMBER, "Share of features that are left out while learning."),
    ("label_smoothing", "--label-smoothing", _NUMBER, "How much every label is doubted; 0.1 by default."),
    ("layer_decay", "--layer-decay", _NUMBER, "Each layer learns slower than the one behind it by this factor; 0.75."),
    ("freeze", "--freeze", _NUMBER, "Share of the layers, from the picture's side, that do not learn; 0 to 1."),
    ("ema", "--ema", _NUMBER, "Decay of the moving average of the weights; 0 turns it off."),
    ("warmup", "--warmup", _NUMBER, "Share of the steps over which the learning rate rises; 0.05 by default."),
    ("patience", "--patience", _WHOLE, "Stop after so many epochs without a better result; 10 by default, 0 never."),
    ("seed", "--seed", _WHOLE, "Of all that is left to chance."),
    ("amp", "--amp", {"type": click.Choice(("auto", "fp32", "bf16"))}, "Arithmetic."),
    ("augment", "--augment", {"type": click.Choice(("none", "light", "standard", "strong"))}, "Change pictures."),
    ("mixup", "--mixup", _NUMBER, "Instead of what --augment says; 0 to 1, 0 turns it off."),
    ("cutmix", "--cutmix", _NUMBER, "Instead of what --augment says; 0 to 1, 0 turns it off."),
    ("erasing", "--erasing", _NUMBER, "Share of the pictures of which a part is erased."),
    ("auto_augment", "--auto-augment/--no-auto-augment", {"default": None}, "Instead of what --augment says."),
    ("class_weight", "--class-weight", {"type": click.Choice(("none", "balanced"))}, "balanced: rare ones count more."),
    ("oversample", "--oversample/--no-oversample", {"default": None}, "Rare classes are seen more often."),
    ("focal_gamma", "--focal-gamma", _NUMBER, "Above 0: what is known already counts less (focal loss)."),
    ("linear_probe", "--linear-probe", _WHOLE, "Epochs in which the heads alone learn, at first; 1 by default."),
    ("teacher", "--teacher", {}, "A version whose scores are learned as well, also on frames nobody has labeled."),
    ("search_budget", "--search-budget", _WHOLE, "How many settings are tried out before; 0 by default."),
)  # fmt: skip
"""Field of TuningParameters, option, how click reads it, and its help."""


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    for name, option, how, text in reversed(_OPTIONS):
        command = click.option(option, name, help=text, **how)(command)
    return command


@main.command()
@click.argument("project")
@click.option("--estimate", "only_estimate", is_flag=True, help="Tell what it learns from and how long it takes.")
@click.option("--here", is_flag=True, help="Do it in this process instead of asking a running worker.")
@click.option("--resume", metavar="VERSION", help="Go on with one that was interrupted, where it was.")
@_chosen
def finetune(project: str, only_estimate: bool, here: bool, resume: str | None, **given: Any) -> None:
    """Fine-tune a network on all answers of PROJECT (its id in Label Studio).

    What serves goes on serving, and learning from new answers, until the network is done and the promotion gate has
    found it better. Ctrl+C, or `espalier cancel PROJECT VERSION`, stops it and keeps the best so far. To go back to
    the encoder of the settings: `espalier rollback PROJECT`, or `espalier train PROJECT --frozen`.
    """
    parameters = parameters_from(given)
    with opened() as house:
        found = find_project(house, project)
        if only_estimate:
            _estimate(house, found, parameters)
            return
        if not here:
            require_worker(house, "tuning")
        show_doubts(label_counts(house, found))
        if resume:
            name = tuning.unfinished(house, found.key, resume).name
        else:
            name = tuning.plan(house, found.key, parameters).name
        click.echo(f"{name}; `espalier cancel {found.id} {name}` stops it, and keeps the best so far")
        if here:
            with MeteredProgress("fine-tuning") as progress:
                tuning.tune(house, found.key, None, progress, name=name)
        else:
            house.queues.request_tuning(found.key, name)
            follow(house, job_of_tuning(found.key, name), "fine-tuning", ends=("done", "cancelled"))
        _show(house, found, name)


def parameters_from(given: dict[str, Any]) -> TuningParameters:
    """Of what was given; None is not. Raises BadRequest for what is out of range."""
    chosen = {name: value for name, value in given.items() if value is not None}
    words = {"yes": True, "no": False}
    if isinstance(pretrained := chosen.get("pretrained"), str):
        chosen["pretrained"] = words.get(pretrained.lower(), pretrained)
    return TuningParameters.from_json(chosen)


def _estimate(house: House, project: Project, parameters: TuningParameters) -> None:
    counts = label_counts(house, project)
    for line in lines_of_labels(counts):
        click.echo(line)
    show_doubts(counts)
    with MeteredProgress("measuring") as progress:
        found = estimate(house, project, parameters, progress)
    for line in lines_about(found):
        click.echo(line)


def lines_about(found: Estimate) -> list[str]:
    parts = ", ".join(f"{count} {part}" for part, count in found.parts.items() if count)
    before = f"{found.missing} before" if found.missing else "none before"
    tuning = found.tuning
    return [
        f"frames     {found.frames} ({parts})",
        f"embedding  about {duration(found.embedding_s)} ({before}, {found.frames} after, by the new network)",
        f"training   about {duration(tuning.seconds)}, {counted(tuning.steps, 'step')}; "
        f"reading the pictures takes {duration(tuning.seconds_decoding)} beside it",
        *(f"note       {remark}" for remark in tuning.remarks),
    ]


def _show(house: House, project: Project, name: str) -> None:
    version: ModelVersion | None = house.records.version(project.key, name)
    if version is None:
        raise BadRequest(f"{name} is gone")
    serving = house.project(project.key).served == name
    for line in lines_of(version, serving=serving):
        click.echo(line)
    if version.state == "candidate":
        click.echo(f"`espalier promote {project.id} {name}` lets it serve all the same")
