"""One training from its start, or from where a kill left it, to `best` and `last`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from espalier.tuning import TRAIN, TuningReport
from espalier.tuning_parameters import TuningParameters
from espalier.whole_directory import mended

from ..description import Description
from . import checkpoint, search
from .arithmetic import tried_convolutions, wants_bf16
from .assignment import Assignment
from .checkpoint import Standing
from .course import Course
from .headed_network import HeadedNetwork
from .judging import Judgement
from .kept_network import keep
from .material import Material
from .pictures import Pictures
from .plan import Plan, plan, steps_of
from .reporting import CURVES, Reporting

BEST, LAST, CHECKPOINT, PLAN, SEARCH = "best", "last", "checkpoint", "plan.json", "search.json"


def train(assignment: Assignment, directory: Path, report: Callable[[TuningReport], bool]) -> None:
    """See `espalier.tuning.Tuner.tune`."""
    fingerprint = assignment.fingerprint()
    for name in (BEST, LAST, CHECKPOINT):
        mended(directory / name)
    if _kept_plan(directory, fingerprint) is None:
        _clear(directory)
    standing = checkpoint.standing(directory / CHECKPOINT, fingerprint)
    if standing is not None and standing.done:
        return
    device = torch.device(assignment.device)
    # Nobody else's random numbers are touched.
    with (
        torch.random.fork_rng(devices=[device] if assignment.on_gpu else []),
        tried_convolutions() if assignment.on_gpu else nullcontext(),
    ):
        training = Training.prepared(assignment, directory, Reporting(report, 0, directory / CURVES), fingerprint)
        if training is not None:
            training.run(standing)


class Training:
    """A search where one was asked for, the probe, the course, and what is kept of them."""

    def __init__(
        self,
        assignment: Assignment,
        directory: Path,
        reporting: Reporting,
        material: Material,
        network: HeadedNetwork,
        description: Description,
        bf16: bool,
    ) -> None:
        self.assignment, self.directory, self.reporting = assignment, directory, reporting
        self.material, self.network, self.description, self.bf16 = material, network, description, bf16
        self.parameters = assignment.parameters
        self.before = 0
        """Steps of probe and search, before the network's own."""

    @classmethod
    def prepared(
        cls, assignment: Assignment, directory: Path, reporting: Reporting, fingerprint: str
    ) -> Training | None:
        """With the network made, the pictures decoded and the arithmetic chosen; None where a person cancelled."""
        network, description = assignment.network()
        device = torch.device(assignment.device)
        kept = _kept_plan(directory, fingerprint)
        if kept is None:
            # Measured once, since it may fall out otherwise after a kill.
            kept = wants_bf16(assignment.parameters.amp, network, description.input_size, device)
            beside = directory / f".{PLAN}"
            beside.write_text(json.dumps({"fingerprint": fingerprint, "bf16": kept}))
            beside.replace(directory / PLAN)

        rows = int((assignment.data.parts == TRAIN).sum())
        expected = _planned(assignment, assignment.parameters, rows, kept)
        reporting.steps = (expected.linear_probe + expected.epochs) * steps_of(rows, expected.batch)

        def going_on(count: int) -> bool:
            return not reporting.due() or reporting.tell(0, 0.0, {"pictures": float(count)})

        pictures = Pictures.decoded(directory, assignment.data, description.input_size, going_on)
        if pictures is None:
            Pictures.forget(directory)
            return None
        material = Material(assignment.data, pictures, device)
        return cls(assignment, directory, reporting, material, network, description, kept)

    def run(self, standing: Standing | None) -> None:
        trials = search.trials(self.parameters, scratch=self.assignment.scratch)
        rows = len(self.material.train)
        if standing is not None:
            self.parameters = replace(self.parameters, **standing.chosen)
        course = self.course()
        probing = course.plan.linear_probe * course.per_epoch
        searching = sum(search.steps(self.planned(trial), rows) for trial in trials)
        self.before = probing + searching
        self.reporting.steps = self.before + course.plan.epochs * course.per_epoch
        if standing is None:
            standing = Standing(self.assignment.fingerprint())
            if course.plan.linear_probe and not self.probe(course, standing):
                Pictures.forget(self.directory)
                return
            self.reporting.before = probing
            if trials and not self.reporting.cancelled:
                standing.chosen = search.search(
                    trials, self.directory / SEARCH, lambda trial: self.course(trial, copied=True), self.reporting
                )
                self.parameters = replace(self.parameters, **standing.chosen)
                course = self.course()
            self.reporting.advance(self.before)
            self.reporting.epochs_before = course.plan.linear_probe
            course.after_epoch(standing, self.reporting)
        else:
            self.reporting.before, self.reporting.epochs_before = self.before, course.plan.linear_probe
            checkpoint.load(self.directory / CHECKPOINT, course.network, course.averaged, course.solver)
            self.reporting.go_on_from(self.before + standing.step)
        if not self.reporting.cancelled:
            course.learn(standing, self.reporting, self.keep)
        if not (self.directory / BEST).is_dir():
            self.keep(course.judged, course.judgement(), standing)
        self.keep(course.judged, course.judgement(), standing, LAST)
        self.reporting.keep()
        checkpoint.finish(self.directory / CHECKPOINT, standing)
        Pictures.forget(self.directory)

    def probe(self, course: Course, standing: Standing) -> bool:
        """The heads alone, judged and kept: the network has to become better than that. False where cancelled."""
        if not course.probe(self.reporting):
            return False
        judgement = course.judgement()
        course.consider(standing, judgement, float("inf"))
        self.before, before = 0, self.before
        self.keep(course.judged, judgement, standing)
        self.before = before
        done = course.plan.linear_probe
        self.reporting.tell(done * course.per_epoch, done, judgement.figures, judgement.scores)
        return True

    def course(self, parameters: TuningParameters | None = None, *, copied: bool = False) -> Course:
        """Of the network as it is now, or for a trial of a copy of it."""
        if copied:
            plan = search.short(self.planned(parameters or self.parameters))
            return Course(self.network.copy(), self.description, self.material, plan, scratch=self.assignment.scratch)
        plan = self.planned(parameters or self.parameters)
        course = Checkpointed(self.network, self.description, self.material, plan, scratch=self.assignment.scratch)
        course.directory = self.directory / CHECKPOINT
        return course

    def planned(self, parameters: TuningParameters) -> Plan:
        return _planned(self.assignment, parameters, len(self.material.train), self.bf16)

    def keep(self, network: HeadedNetwork, judgement: Judgement, standing: Standing, name: str = BEST) -> None:
        about = {
            "parameters": self.parameters.to_json(),
            "step": self.before + standing.step,
            "epoch": standing.epoch,
            "figures": judgement.figures,
        }
        keep(self.directory / name, network, self.material.lesson, self.description, judgement.sureness, about)


class Checkpointed(Course):
    directory: Path

    def after_epoch(self, standing: Standing, reporting: Reporting) -> None:
        # The curves first: what stands in them beyond the checkpoint is told again after a kill.
        reporting.keep()
        checkpoint.save(self.directory, standing, self.network, self.averaged, self.solver)


def _planned(assignment: Assignment, parameters: TuningParameters, rows: int, bf16: bool) -> Plan:
    return plan(parameters, rows, on_gpu=assignment.on_gpu, scratch=assignment.scratch, bf16=bf16)


def _kept_plan(directory: Path, fingerprint: str) -> bool | None:
    """Whether the training that lies there learns in bf16; None where there is none, or another."""
    try:
        kept = json.loads((directory / PLAN).read_text())
        return bool(kept["bf16"]) if kept["fingerprint"] == fingerprint else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _clear(directory: Path) -> None:
    """What another training left behind would be taken for this one's."""
    for name in (BEST, LAST, CHECKPOINT):
        shutil.rmtree(directory / name, ignore_errors=True)
    for name in (PLAN, SEARCH, CURVES):
        (directory / name).unlink(missing_ok=True)
    Pictures.forget(directory)
