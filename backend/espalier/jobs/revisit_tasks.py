"""The revisit list as tasks: annotations in doubt since the labels changed, with what the model says of them now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import BadModel, NotTrained
from ..store.rows import ModelVersion, Prediction, Project, Revisit
from .house import House
from .listing import Entry, Listing
from .parameters import RunParameters
from .predicting import Predictor
from .progress import Progress
from .revisit import refresh
from .selection import load

_UNKNOWN = 0.5


def draw(house: House, project: Project, version: ModelVersion | None, count: int, progress: Progress) -> Listing:
    """Those that the model is least sure of first; in the order of their ids where there is no model."""
    refresh(house, project)
    by_task: dict[int, list[Revisit]] = {}
    for revisit in house.records.revisits(project.key, "open"):
        by_task.setdefault(revisit.task_id, []).append(revisit)
    tasks = load(house, project, by_task)
    said = _unseen(house, project, version, tasks, progress)
    doubted = sorted({(entry.classification, entry.option) for entries in by_task.values() for entry in entries})
    entries = [
        Entry(
            task_id=task["id"],
            score=prediction.score if prediction else _UNKNOWN,
            reason="; ".join(dict.fromkeys(entry.reason for entry in by_task[task["id"]])),
            result=prediction.result if prediction else [],
            # Answers of one kind are quickly looked through together.
            cluster=doubted.index((by_task[task["id"]][0].classification, by_task[task["id"]][0].option)),
        )
        for task in tasks
        for prediction in [said.get(task["id"])]
    ]
    entries.sort(key=lambda entry: (entry.score, entry.task_id))
    note = f"{len(entries)} tasks are on the revisit list" if len(entries) > count else ""
    return Listing("revisit", tuple(entries[:count]), note)


def _unseen(
    house: House, project: Project, version: ModelVersion | None, tasks: Sequence[Mapping[str, Any]], progress: Progress
) -> dict[int, Prediction]:
    """What the model says of these tasks, as if nobody had annotated them; nothing where it cannot be used here."""
    if version is None or not tasks:
        return {}
    try:
        predictor = Predictor(house, project, version, RunParameters())
    except (NotTrained, BadModel):
        return {}
    blank = [{**task, "annotations": []} for task in tasks]
    return {predicted.row.task_id: predicted.row for predicted in predictor.predict(blank, progress)}
