"""The blind sample of a run: tasks whose predictions are kept back until somebody has annotated them unseen.

Only so is a run's real precision known: whoever sees an answer tends to agree with it. This file is all that the web
process needs to know of it; `jobs.blind` compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from ..store.records import Records
from ..store.rows import Run

WRITTEN = "written"
"""The state of a run's task once Label Studio holds its prediction."""
BLIND = "blind"
"""The state of a run's task whose prediction is known here alone."""


def is_drawn(run_id: str, task_id: int, share: float) -> bool:
    """Whether this task belongs to that share of the run's tasks; always the same, whoever asks."""
    drawn = hashlib.blake2b(f"{run_id}/{task_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * 2**64


def is_answered(task: Mapping[str, Any]) -> bool:
    """Whether somebody annotated this task (Label Studio's object), and did not just skip it."""
    return any(not annotation.get("was_cancelled") for annotation in task.get("annotations") or ())


def withheld(records: Records, project_key: str, tasks: Iterable[Mapping[str, Any]]) -> set[int]:
    """Which of these tasks must show no prediction: blind in a run that was not undone, and not annotated yet.

    A later run that wrote a prediction for the task has given it away, and ends that.
    """
    waiting = {int(task["id"]) for task in tasks if not is_answered(task)}
    runs = [run for run in records.runs(project_key) if run.kind == "labeling" and run.state != "undone"]
    found: set[int] = set()
    for place, run in enumerate(runs):
        drawn = {task_id for task_id in waiting if is_drawn(run.id, task_id, share_of(run))}
        if not drawn:
            continue
        blind = drawn & in_state(records, run, BLIND)
        for later in runs[:place]:
            if blind:
                blind -= in_state(records, later, WRITTEN)
        found |= blind
    return found


def share_of(run: Run) -> float:
    return float(run.parameters.get("blind") or 0.0)


def in_state(records: Records, run: Run, state: str) -> set[int]:
    """The tasks of a run in this state."""
    return {task_id for task_id, held in records.run_items(run.id).items() if held == state}
