"""Short trainings with other settings, before the one that counts: the least validation cross-entropy wins."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from espalier.tuning_parameters import TuningParameters

from .augmentation import dice
from .checkpoint import Standing
from .course import Course
from .headed_network import HeadedNetwork
from .judging import Judgement
from .plan import LR, LR_FROM_SCRATCH, Plan, steps_of
from .reporting import Reporting

SHARE = 0.2
"""Of the epochs of the training that counts."""
TRIED = ("lr", "augment", "weight_decay", "dropout", "label_smoothing", "layer_decay")
PURPOSE = 7


def trials(parameters: TuningParameters, *, scratch: bool) -> list[TuningParameters]:
    """The settings to try: first those that were asked for, then random ones around them, always the same ones."""
    found = []
    for number in range(parameters.search_budget):
        rng = dice(parameters.seed, PURPOSE, number)
        changes: dict[str, Any] = {}
        if number:
            usual = parameters.lr or (LR_FROM_SCRATCH if scratch else LR)
            changes = {
                "lr": float(np.clip(usual * math.exp(rng.uniform(math.log(0.2), math.log(5))), 1e-8, 10)),
                "augment": str(rng.choice(["none", "light", "standard", "strong"])),
                "weight_decay": float(rng.choice([0.0, 0.01, 0.05, 0.2])),
                "dropout": float(rng.choice([0.0, 0.1, 0.3])),
                "label_smoothing": float(rng.choice([0.0, 0.05, 0.1])),
                "layer_decay": float(rng.choice([0.65, 0.75, 0.85, 1.0])),
            }
        found.append(replace(parameters, **changes))
    return found


def short(plan: Plan) -> Plan:
    seconds = None if plan.seconds is None else plan.seconds * SHARE
    return replace(plan, epochs=max(1, round(plan.epochs * SHARE)), seconds=seconds, patience=0, linear_probe=0)


def steps(plan: Plan, rows: int) -> int:
    return short(plan).epochs * steps_of(rows, plan.batch)


def search(
    tried: list[TuningParameters], path: Path, course_of: Callable[[TuningParameters], Course], reporting: Reporting
) -> dict[str, Any]:
    """What the best of them had, by name. Results are kept as they come, so that a kill costs one of them at most."""
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        known = []
    results: list[float] = [entry["validation_loss"] for entry in known[: len(tried)]]
    for number, parameters in enumerate(tried):
        course = course_of(parameters)
        if number >= len(results):
            standing = Standing("")
            course.learn(standing, reporting, _forget)
            if reporting.cancelled:
                break
            results.append(standing.best if standing.best is not None else math.inf)
            known.append({"validation_loss": results[-1], **{name: getattr(parameters, name) for name in TRIED}})
            path.write_text(json.dumps(known, indent=1))
        reporting.advance(reporting.before + course.plan.epochs * course.per_epoch)
    if not results:
        return {}
    chosen = tried[int(np.argmin(results))]
    return {name: getattr(chosen, name) for name in TRIED}


def _forget(network: HeadedNetwork, judgement: Judgement, standing: Standing) -> None:
    """The network of a trial is not kept."""
