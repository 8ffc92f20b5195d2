"""Tuning reports: what a tuner says on the way is kept, shown, and answered where a person has cancelled."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from ..contract import Scores
from ..errors import BrokenPlugin, Cancelled
from ..learning.head import Steps
from ..learning.tuned_head import steps_of, watched_rows
from ..learning.tuning_lesson import TuningLesson, validation_rows
from ..store.rows import ModelVersion
from .house import House
from .progress import Progress
from .tuning_subject import head_name

_NOTED_S = 2.0
"""How often at most the version's record is brought up to date."""
_CURVES = "curves.json"
CANCELLED = "cancelled"
"""A file that says that a person has cancelled, also to the process that takes it up after a kill."""


class TuningReports:
    """Called with every report of a tuner. The directory outlives this process."""

    def __init__(
        self, house: House, version: ModelVersion, lesson: TuningLesson, directory: Path, progress: Progress
    ) -> None:
        self._house, self._version, self._lesson, self._progress = house, version, lesson, progress
        self._steps = directory / "steps"
        self._steps.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._watched = [watched_rows(lesson, number) for number in range(len(lesson.asked))]
        self._noted_at = -math.inf
        self._began: tuple[float, int] | None = None
        self.patient = Patient(progress)

    @property
    def cancelled(self) -> bool:
        return (self._directory / CANCELLED).exists()

    def __call__(self, report: Any) -> bool:
        """A `TuningReport`. False where a person has cancelled. Raises Requeue where this worker leaves."""
        if report.scores:
            self._keep(report.step, report.epoch, report.figures, report.scores)
        message, left_s = _sentence(report), self._left_s(report.step, report.steps)
        self._note(report.step, report.steps, left_s, message)
        if self.cancelled:
            return False
        try:
            self._progress.report(report.step, report.steps, message if left_s is None else f"{message}{_left(left_s)}")
        except Cancelled:
            (self._directory / CANCELLED).touch()
            return False
        return True

    def curves(self) -> list[dict[str, Any]]:
        """The figures of every evaluation step: {"step", "epoch", and what the tuner names}."""
        path = self._directory / _CURVES
        found: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
        return found

    def steps(self) -> list[Steps | None]:
        """For each question of the lesson, how the watched rows were scored."""
        kept: dict[int, list[Scores]] = {}
        for path in sorted(self._steps.glob("*.safetensors")):
            arrays = load_file(path)
            kept[int(path.stem)] = [arrays[head_name(number)] for number in range(len(self._lesson.asked))]
        return steps_of(self._lesson, kept)

    def _keep(self, step: int, epoch: float, figures: Mapping[str, float], scores: Mapping[str, Scores]) -> None:
        """What comes after an interruption replaces what came before it."""
        rows = len(validation_rows(self._lesson))
        arrays = {}
        for number, watched in enumerate(self._watched):
            name = head_name(number)
            found = scores.get(name)
            if found is None or len(found) != rows:
                got = "nothing" if found is None else f"{len(found)} rows"
                raise BrokenPlugin("tuner", f"a report scores all {rows} validation rows of every head", got)
            arrays[name] = np.ascontiguousarray(found[watched], np.float32)
        draft = self._steps / f".{step}.draft"
        save_file(arrays, draft)
        draft.rename(self._steps / f"{step:09d}.safetensors")
        curves = [one for one in self.curves() if one["step"] < step]
        plain = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
        curves.append({"step": int(step), "epoch": float(epoch), **plain})
        draft = self._directory / f".{_CURVES}"
        draft.write_text(json.dumps(curves))
        draft.rename(self._directory / _CURVES)

    def _left_s(self, step: int, steps: int) -> float | None:
        now = time.monotonic()
        if self._began is None:
            self._began = (now, step)
        began_at, began_with = self._began
        return (now - began_at) / (step - began_with) * (steps - step) if step > began_with else None

    def _note(self, step: int, steps: int, left_s: float | None, message: str) -> None:
        """For those who look at the versions: any process may ask."""
        now = time.monotonic()
        if now - self._noted_at < _NOTED_S and step < steps:
            return
        self._noted_at = now
        tuning = {"step": step, "steps": steps, "left_s": left_s, "curves": self.curves()}
        self._house.records.set_version(
            self._version.project_key, self._version.name, metrics={"tuning": tuning}, message=message
        )


class Patient:
    """A progress that has heard the person already: what was learned is now kept, and that takes its time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def report(self, done: int, total: int, message: str = "") -> None:
        try:
            self._progress.report(done, total, message)
        except Cancelled:
            return


def _sentence(report: Any) -> str:
    told = {"validation_loss": "validation cross-entropy", "macro_f1": "macro-F1", "train_loss": "training loss"}
    figures = [f"{words} {report.figures[name]:.3f}" for name, words in told.items() if name in report.figures]
    return f"fine-tuning, epoch {report.epoch:.1f}" + (": " + ", ".join(figures) if figures else "")


def _left(seconds: float) -> str:
    return f"; {seconds:.0f} s left" if seconds < 90 else f"; {seconds / 60:.0f} min left"
