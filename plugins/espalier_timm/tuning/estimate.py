"""How long it will take: a few pictures are read, and a few steps made, before the start."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from espalier.contract import Ids
from espalier.contract import Pictures as Frames
from espalier.tuning import TRAIN, VALIDATION, TuningData, TuningEstimate

from . import search
from .arithmetic import tried_convolutions, wants_bf16
from .assignment import Assignment
from .course import Course
from .layers import learning_mode
from .material import Material
from .pictures import Pictures
from .plan import plan, steps_of

STEPS = 3
JUDGING = 0.3
"""Of a step's time, for a batch that is only looked at."""


def estimate(assignment: Assignment) -> TuningEstimate:
    network, description = assignment.network()
    device = torch.device(assignment.device)
    parameters, data = assignment.parameters, assignment.data
    bf16 = wants_bf16(parameters.amp, network, description.input_size, device)
    rows = int((data.parts == TRAIN).sum())
    full = plan(parameters, rows, on_gpu=assignment.on_gpu, scratch=assignment.scratch, bf16=bf16)
    with (
        tempfile.TemporaryDirectory() as directory,
        torch.random.fork_rng(devices=[device] if assignment.on_gpu else []),
        tried_convolutions() if assignment.on_gpu else nullcontext(),
    ):
        few = _few(data, full.batch)
        started = time.perf_counter()
        pictures = Pictures.decoded(Path(directory), few, description.input_size, lambda count: True)
        decoding = (time.perf_counter() - started) / max(1, len(few.parts))
        assert pictures is not None
        material = Material(few, pictures, device)
        material.train = np.resize(material.train, full.batch)
        course = Course(network, description, material, full, scratch=assignment.scratch)
        taken = _step_seconds(course)
    per_epoch = steps_of(rows, full.batch)
    judged = steps_of(int((data.parts == VALIDATION).sum()), full.batch)
    trial = search.steps(full, rows) * parameters.search_budget
    steps = full.epochs * per_epoch
    seconds = taken * (steps + trial + JUDGING * judged * (full.epochs + 1) + JUDGING * per_epoch * full.linear_probe)
    if full.seconds is not None:
        steps = max(1, int(full.seconds / taken))
        seconds = full.seconds * (1 + search.SHARE * parameters.search_budget)
    remarks = [
        f"{description.model} at {description.input_size[0]} x {description.input_size[1]}: "
        f"{assignment.weights.reason}",
        f"batches of {full.batch} in {'bf16' if bf16 else 'fp32'} on {assignment.device}: "
        f"{full.batch / taken:.0f} pictures/s",
    ]
    if not judged:
        remarks.append("no picture of the validation part: the best network is chosen by what it learned from")
    total = steps + trial + per_epoch * full.linear_probe
    return TuningEstimate(total, seconds, decoding * len(data.parts), tuple(remarks))


def _few(data: TuningData, batch: int) -> TuningData:
    """A batch of rows that are learned from."""
    train = np.flatnonzero(data.parts == TRAIN)
    said = np.zeros(len(data.parts), np.bool_)
    for head in data.heads:
        said |= (head.mask & (head.weights > 0)).any(axis=1)
    rows = np.concatenate([train[said[train]], train[~said[train]]])[:batch]
    heads = tuple(
        replace(head, targets=head.targets[rows], mask=head.mask[rows], weights=head.weights[rows])
        for head in data.heads
    )

    def read(numbers: Ids, size: tuple[int, int]) -> Iterator[tuple[Ids, Frames]]:
        place = {int(row): index for index, row in enumerate(rows)}
        for found, pictures in data.read(rows[numbers], size):
            yield np.array([place[int(row)] for row in found], np.int64), pictures

    return TuningData(heads, data.parts[rows], read)


def _step_seconds(course: Course) -> float:
    learning_mode(course.network, course.plan.batch, scratch=course.scratch)
    taken = []
    orders = [course.material.train] * (STEPS + 1)
    for step, (numbers, pictures) in enumerate(course.material.pictures.batches(orders, course.device)):
        started = time.perf_counter()
        float(course.step(step, numbers, pictures, 0.0))  # waits for a GPU, too
        taken.append(time.perf_counter() - started)
    return float(np.median(taken[1:]))
