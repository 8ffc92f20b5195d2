"""What to label next: unlabeled tasks from which a model learns most, with what the one that serves would answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract import Embeddings, Ids, Scores
from ..errors import BadModel, NotTrained
from ..labeling.label_next import next_batch
from ..labeling.label_worth import Asked, neighbour_scores
from ..labeling.parents import likely
from ..learning.model import Model
from ..store.rows import ModelVersion, Project
from .house import House
from .label_quality import JudgedLabels, judged_labels
from .listing import Entry, Json, Listing
from .parameters import RunParameters
from .predicting import Predictor
from .progress import Progress
from .selection import load
from .task_frames import TaskFrames, nearest_tasks, quick_arithmetic, task_frames
from .withheld import withheld

_POOL = 5000
"""Tasks that are looked at; of a larger project, so many spread over it. Each must be embedded once."""
_LABELED = 5000
"""Labeled frames that the new ones shall be unlike."""
_SEED = 0


@dataclass(frozen=True)
class Pool:
    """Unlabeled frames, and after them labeled ones. tasks: by row, those that show it. known: rows that a model was
    judged on, in the order of `judged_rows`, which are its own numbers for them."""

    frames: TaskFrames
    embeddings: Embeddings
    tasks: list[tuple[int, ...]]
    known: Ids
    judged_rows: Ids

    @property
    def labeled(self) -> Any:
        return np.arange(len(self.embeddings)) >= len(self.frames)


def draw(house: House, project: Project, version: ModelVersion | None, count: int, progress: Progress) -> Listing:
    """The first is the one to label first. Works before there is a model: then by what is typical and not alike."""
    tasks = load(house, project)
    blank = [task for task in tasks if not task["annotations"]]  # who skipped one could not tell
    if not blank:
        return Listing("next", note="every task is labeled or was skipped")
    predictor, trouble = _predictor(house, project, version)
    encoder = predictor.encoder if predictor else house.encoder(house.ontology(project, _data(tasks)))
    some = _spread(blank, _POOL)
    frames = task_frames(house, project, some, encoder, progress)
    if not len(frames):
        return Listing("next", note="; ".join(frames.problems[:3]))
    judged = judged_labels(house, project, version) if predictor and version else None
    answered = _spread([task for task in tasks if task["annotations"]], _LABELED)
    pool = _pool(frames, judged, task_frames(house, project, answered, encoder, progress))
    with quick_arithmetic(pool.embeddings):
        asked = _asked(predictor.model, pool, house, project, tasks) if predictor else []
        batch = next_batch(pool.embeddings, pool.labeled, asked, count=count, groups=_groups(pool), seed=_SEED)
    rows = _first_of_each(pool, batch.order.tolist(), count)
    chosen = [pool.tasks[row][0] for row in rows]
    reasons = dict(zip(batch.order.tolist(), batch.reasons, strict=False))
    results = _results(house, project, predictor, [task for task in blank if task["id"] in set(chosen)], progress)
    entries = tuple(
        Entry(
            task_id=task_id,
            score=place / len(chosen),
            reason=reasons.get(row, ""),
            result=results.get(task_id, []),
            cluster=int(batch.cluster[row]),
            neighbors=nearest_tasks(pool.embeddings, pool.tasks, row, task_id),
        )
        for place, (row, task_id) in enumerate(zip(rows, chosen, strict=True))
    )
    return Listing("next", entries, _note(len(some), len(blank), version if predictor else None, trouble, frames))


def _predictor(house: House, project: Project, version: ModelVersion | None) -> tuple[Predictor | None, str]:
    if version is None:
        return None, ""
    try:
        return Predictor(house, project, version, RunParameters(parents=house.settings.parents)), ""
    except (NotTrained, BadModel) as reason:
        return None, str(reason)


def _pool(frames: TaskFrames, judged: JudgedLabels | None, answered: TaskFrames) -> Pool:
    """Of labeled tasks the rows that the model was judged on, and of those that it has not seen some frames."""
    embeddings = [frames.embeddings]
    tasks: list[tuple[int, ...]] = [(task,) for task in frames.tasks.tolist()]
    rows: Ids = np.zeros(0, np.int64)
    seen: set[int] = set()
    if judged is not None:
        places = np.array(_spread(range(len(judged.rows)), _LABELED), np.int64)
        rows = judged.rows[places]
        embeddings.append(judged.embeddings[places])
        shown = [judged.tasks[judged.digest(row)] for row in rows.tolist()]
        tasks += shown
        seen = {task for ids in shown for task in ids}
    others = [place for place, task in enumerate(answered.tasks.tolist()) if task not in seen]
    embeddings.append(answered.embeddings[others])
    tasks += [(int(answered.tasks[place]),) for place in others]
    known = np.arange(len(frames), len(frames) + len(rows))
    return Pool(frames, np.concatenate(embeddings), tasks, known, rows)


def _asked(model: Model, pool: Pool, house: House, project: Project, tasks: Sequence[Mapping[str, Any]]) -> list[Asked]:
    """What the model says of all rows, question by question, and as a second opinion what their neighbours show."""
    ontology = house.ontology(project, _data(tasks))
    scores = model.scores(pool.embeddings)
    found = []
    for key, head in model.heads.items():
        if key in scores and key[0] in ontology:
            others: tuple[Scores, ...] = ()
            if head.evidence is not None and len(pool.known):
                targets, mask = head.evidence.targets[pool.judged_rows], head.evidence.mask[pool.judged_rows]
                others = (neighbour_scores(pool.embeddings, targets, mask, pool.known),)
            counts = np.array([head.counts.get(option, 0) for option in head.options], np.int64)
            found.append(
                Asked(
                    *key,
                    head.options,
                    head.exclusive,
                    scores[key],
                    counts,
                    likely(ontology, model, scores, key),
                    others,
                )
            )
    return found


def _groups(pool: Pool) -> Ids:
    """One batch has one frame of a task."""
    number = {task: place for place, task in enumerate(dict.fromkeys(ids[0] for ids in pool.tasks))}
    return np.array([number[ids[0]] for ids in pool.tasks], np.int64)


def _first_of_each(pool: Pool, order: Iterable[int], count: int) -> list[int]:
    """The best row of each of the first tasks."""
    found: dict[int, int] = {}
    for row in order:
        found.setdefault(pool.tasks[row][0], row)
        if len(found) == count:
            break
    return list(found.values())


def _results(
    house: House, project: Project, predictor: Predictor | None, tasks: Sequence[Mapping[str, Any]], progress: Progress
) -> dict[int, list[Json]]:
    """By task id; nothing is shown of a blind sample."""
    if predictor is None:
        return {}
    hidden = withheld(house.records, project.key, tasks)
    shown = [task for task in tasks if task["id"] not in hidden]
    return {one.row.task_id: one.row.result for one in predictor.predict(shown, progress)}


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    if len(items) <= most:
        return list(items)
    return [items[place] for place in np.linspace(0, len(items) - 1, most).astype(int).tolist()]


def _data(tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, object]]:
    return [task["data"] for task in tasks]


def _note(looked_at: int, unlabeled: int, version: ModelVersion | None, trouble: str, frames: TaskFrames) -> str:
    said = f"chosen from {looked_at} of {unlabeled} unlabeled tasks " + (
        f"by what {version.name} is unsure of" if version else "by what is typical, for there is no model yet"
    )
    if trouble:
        said = f"chosen from {looked_at} of {unlabeled} unlabeled tasks by what is typical, since {trouble}"
    if frames.problems:
        said += f"; {len(frames.problems)} could not be read: {frames.problems[0]}"
    return said
