"""The quality of a project's data: duplicates, outliers and poor pictures, by task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from ..contract import Ids
from ..errors import BadModel, NotTrained
from ..labeling.duplicates import duplicates
from ..labeling.outliers import outliers
from ..store.rows import ModelVersion, Project
from .house import House
from .label_quality import JudgedLabels, judged_labels
from .parameters import RunParameters
from .poor_pictures import PoorPicture, poor_pictures
from .predicting import Predictor
from .progress import Progress
from .selection import load
from .task_frames import TaskFrames, quick_arithmetic, task_frames


@dataclass(frozen=True)
class DuplicateTasks:
    """Tasks that show the same picture, or nearly. labels_differ: people answered them differently."""

    kind: Literal["exact", "near"]
    tasks: tuple[int, ...]
    labels_differ: bool


@dataclass(frozen=True)
class OutlierTask:
    """A task that is unlike the others of its class. score in [0, 1]; 0.5 is usual."""

    task_id: int
    classification: str
    option: tuple[str, ...]
    score: float

    @property
    def sentence(self) -> str:
        return f"{self.classification}: unlike the others that are labeled {' / '.join(self.option)}"


@dataclass(frozen=True)
class QualityReport:
    """tasks and pictures: how many were looked at. note: what could not be judged, and why."""

    tasks: int
    pictures: int
    duplicates: tuple[DuplicateTasks, ...]
    outliers: tuple[OutlierTask, ...]
    poor: tuple[PoorPicture, ...]
    problems: tuple[str, ...]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def quality(house: House, project_key: str, progress: Progress) -> QualityReport:
    """Of all tasks, labeled or not; outliers of those that the version that serves has learned from."""
    project = house.project(project_key)
    tasks = load(house, project)
    looked_at = poor_pictures(house, project, tasks, progress)
    version = house.version(project) if project.served else None
    frames = task_frames(house, project, tasks, _encoder(house, project, version, tasks), progress)
    with quick_arithmetic(frames.embeddings):
        groups = _duplicates(frames, {task["id"]: _said(task) for task in tasks})
        found = _outliers(judged_labels(house, project, version)) if version else ()
    return QualityReport(
        tasks=len(tasks),
        pictures=looked_at.pictures,
        duplicates=groups,
        outliers=found,
        poor=looked_at.poor,
        problems=tuple(dict.fromkeys((*looked_at.problems, *frames.problems))),
        note="" if version else "outliers are told once a model serves: label a few frames of every class",
    )


def _encoder(house: House, project: Project, version: ModelVersion | None, tasks: Sequence[Mapping[str, Any]]) -> Any:
    """That of the version that serves, for what it has embedded is there already."""
    try:
        if version is not None:
            return Predictor(house, project, version, RunParameters()).encoder
    except (NotTrained, BadModel):
        pass
    return house.encoder(house.ontology(project, (task["data"] for task in tasks)))


def _duplicates(frames: TaskFrames, said: Mapping[int, str]) -> tuple[DuplicateTasks, ...]:
    """The largest groups first, exact ones before near ones. A video or sequence is compared as a whole, by the mean
    of its frames; what is said of two that are only nearly the same need not agree."""
    tasks, number = np.unique(frames.tasks, return_inverse=True)
    if not len(tasks):
        return ()
    means = np.zeros((len(tasks), frames.embeddings.shape[1]), np.float32)
    np.add.at(means, number, frames.embeddings)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    shown: list[dict[str, None]] = [{} for _ in tasks]
    for task, media in zip(number.tolist(), frames.media, strict=True):
        shown[task][media.digest] = None
    alike = duplicates(means, digests=["+".join(sorted(digests)) for digests in shown])
    are_images = all(media.kind == "image" for media in frames.media)
    found = []
    kinds: tuple[tuple[Literal["exact", "near"], tuple[Ids, ...]], ...] = (("exact", alike.exact), ("near", alike.near))
    for kind, groups in kinds:
        for group in groups:
            ids = tuple(tasks[group].tolist())
            answers = {said[task] for task in ids if said[task]} if kind == "exact" or are_images else set()
            found.append(DuplicateTasks(kind, ids, len(answers) > 1))
    return tuple(found)


def _said(task: Mapping[str, Any]) -> str:
    """What the first annotation answers, in a form that compares; "" for nothing."""
    for annotation in task["annotations"]:
        if not annotation["was_cancelled"]:
            answers = [[item.get("from_name"), item.get("value")] for item in annotation["result"]]
            return json.dumps(sorted(answers, key=json.dumps), sort_keys=True) if answers else ""
    return ""


def _outliers(judged: JudgedLabels) -> tuple[OutlierTask, ...]:
    """The most unusual first, each task once for each option."""
    found: dict[tuple[int, str, tuple[str, ...]], OutlierTask] = {}
    rows = judged.rows
    for (name, _), head in judged.model.heads.items():
        if head.evidence is None or not len(rows):
            continue
        unusual = outliers(
            judged.embeddings,
            head.evidence.targets[rows],
            head.evidence.mask[rows],
            groups=judged.model.rows.groups[rows],
        )
        for row, option in unusual.ranked.tolist():
            for task_id in judged.tasks[judged.digest(int(rows[row]))]:
                path = head.options[option]
                score = float(unusual.score[row, option])
                found.setdefault((task_id, name, path), OutlierTask(task_id, name, path, score))
    return tuple(sorted(found.values(), key=lambda one: (-one.score, one.task_id)))
