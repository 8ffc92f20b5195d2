"""One training from its start, or from where a kill left it, to `best` and `last`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from espalier.tuning import TuningReport
from espalier.tuning_parameters import TuningParameters

from ..description import Description
from . import checkpoint, search
from .arithmetic import wants_bf16
from .checkpoint import Standing
from .course import Course
from .headed_network import HeadedNetwork
from .judging import Judgement
from .kept_network import keep
from .material import Material
from .pictures import Pictures
from .plan import Plan, plan
from .reporting import Reporting
from .whole import mended

if TYPE_CHECKING:
    from .tuner import TimmTuner

BEST, LAST, CHECKPOINT, PLAN = "best", "last", "checkpoint", "plan.json"


def train(tuner: TimmTuner, directory: Path, report: Callable[[TuningReport], bool]) -> None:
    """See `espalier.tuning.Tuner.tune`."""
    fingerprint = _fingerprint(tuner)
    for name in (BEST, LAST):
        mended(directory / name)
    standing = checkpoint.standing(directory / CHECKPOINT, fingerprint)
    if standing is not None and standing.done:
        return
    if standing is None and _other(directory, fingerprint):
        Pictures.forget(directory)
    device = torch.device(tuner.device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        _train(tuner, directory, report, standing, fingerprint, device)


def _train(
    tuner: TimmTuner,
    directory: Path,
    report: Callable[[TuningReport], bool],
    standing: Standing | None,
    fingerprint: str,
    device: torch.device,
) -> None:
    network, description = tuner.network()
    reporting = Reporting(report, 0, directory)

    def decoding(count: int) -> bool:
        return not reporting.due() or reporting.tell(0, 0.0, {"pictures": float(count)})

    pictures = Pictures.decoded(directory, tuner.data, description.input_size, decoding)
    if pictures is None:
        return
    material = Material(tuner.data, pictures, device)
    bf16 = _bf16(tuner, directory, network, description, device, fingerprint)

    def planned(parameters: TuningParameters) -> Plan:
        on_gpu = device.type == "cuda"
        return plan(parameters, len(material.train), on_gpu=on_gpu, scratch=tuner.scratch, bf16=bf16)

    parameters = tuner.parameters
    if standing is not None:
        parameters = replace(parameters, **standing.chosen)
    course = Checkpointed(network, description, material, planned(parameters), scratch=tuner.scratch)
    course.directory = directory / CHECKPOINT
    trials = search.trials(tuner.parameters, fingerprint)
    probing = course.plan.linear_probe * course.per_epoch
    reporting.before = probing + sum(search.steps(planned(trial), len(material.train)) for trial in trials)
    reporting.epochs_before = course.plan.linear_probe
    reporting.steps = reporting.before + course.plan.epochs * course.per_epoch

    def keeping(network: HeadedNetwork, judgement: Judgement, standing: Standing, name: str = BEST) -> None:
        rest = {
            "parameters": parameters.to_json(),
            "step": reporting.before + standing.step,
            "epoch": standing.epoch,
            "figures": judgement.figures,
        }
        keep(directory / name, network, material.lesson, description, rest)

    if standing is None:
        standing = Standing(fingerprint)
        before = reporting.before
        reporting.before = reporting.epochs_before = 0
        if course.plan.linear_probe:
            if not course.probe(reporting):
                return
            judgement = course.judgement()
            course.consider(standing, judgement, float("inf"))
            keeping(course.judged, judgement, standing)
            reporting.tell(probing, course.plan.linear_probe, judgement.figures, judgement.scores)
        reporting.before = probing
        if trials and not reporting.cancelled:
            chosen = search.best(trials, directory, course, description, material, planned, reporting, tuner.scratch)
            parameters = replace(parameters, **chosen)
            standing.chosen = chosen
            start = course.network.state_dict()
            fresh, _ = tuner.network()
            fresh.load_state_dict(start)
            course = Checkpointed(fresh, description, material, planned(parameters), scratch=tuner.scratch)
            course.directory = directory / CHECKPOINT
        reporting.before, reporting.epochs_before = before, course.plan.linear_probe
        if not reporting.cancelled:
            course.after_epoch(standing, reporting)
    else:
        checkpoint.load(
            directory / CHECKPOINT, course.network, course.average.network if course.average else None, course.solver
        )
        reporting.go_on_from(reporting.before + standing.step)
    if not reporting.cancelled:
        course.learn(standing, reporting, keeping)
    if not (directory / BEST).is_dir():
        keeping(course.judged, course.judgement(), standing)
    keeping(course.judged, course.judgement(), standing, LAST)
    reporting.keep()
    checkpoint.finish(directory / CHECKPOINT, standing)
    Pictures.forget(directory)


class Checkpointed(Course):
    directory: Path

    def after_epoch(self, standing: Standing, reporting: Reporting) -> None:
        # The curves first: what stands in them beyond the checkpoint is told again after a kill.
        reporting.keep()
        average = self.average.network if self.average else None
        checkpoint.save(self.directory, standing, self.network, average, self.solver)


def _bf16(
    tuner: TimmTuner,
    directory: Path,
    network: HeadedNetwork,
    description: Description,
    device: torch.device,
    fingerprint: str,
) -> bool:
    """Measured once, since a measurement may fall out otherwise after a kill."""
    path = directory / PLAN
    if not _other(directory, fingerprint):
        return bool(json.loads(path.read_text())["bf16"])
    bf16 = wants_bf16(tuner.parameters.amp, network, description.input_size, device)
    beside = directory / f".{PLAN}"
    beside.write_text(json.dumps({"fingerprint": fingerprint, "bf16": bf16}))
    beside.replace(path)
    return bf16


def _other(directory: Path, fingerprint: str) -> bool:
    """Whether what lies there is of another training, or nothing."""
    try:
        return bool(json.loads((directory / PLAN).read_text())["fingerprint"] != fingerprint)
    except (OSError, ValueError, KeyError, TypeError):
        return True


def _fingerprint(tuner: TimmTuner) -> str:
    """What must be the same for a training to go on."""
    digest = hashlib.sha256(json.dumps(tuner.parameters.to_json(), sort_keys=True).encode())
    digest.update(f"{tuner.weights.model} {tuner.weights.digest()}".encode())
    digest.update(tuner.data.parts.tobytes())
    for head in tuner.data.heads:
        digest.update(f"{head.key} {head.exclusive} {head.targets.shape}".encode())
        for array in (head.targets, head.mask, head.weights):
            digest.update(array.tobytes())
    return digest.hexdigest()
