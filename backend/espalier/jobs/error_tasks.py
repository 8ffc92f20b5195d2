"""Label errors as tasks: annotations that are likely wrong, with what a model says that had not seen them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from espalier_ontology import regions
from espalier_ontology.frames import Frames

from ..contract import Ids
from ..labeling.label_candidates import Candidate
from ..labeling.label_errors import cross_refit, label_errors
from ..learning.head import Evidence, Head
from ..learning.questions import Key
from ..media.media import Media
from ..plugins.registry import new_learner
from ..store.rows import ModelVersion, Project
from .house import House
from .label_quality import JudgedLabels, judged_labels
from .listing import Entry, Json, Listing
from .progress import Progress
from .task_frames import nearest_tasks, quick_arithmetic


@dataclass(frozen=True)
class Suspicion:
    """One candidate of one question. rows int64: of the model's rows, all of one media."""

    key: Key
    score: float
    rows: Ids
    mistake: tuple[Key, tuple[int, ...], tuple[int, ...]]
    """Equal for what was confused in the same way."""
    sentence: str


def draw(house: House, project: Project, version: ModelVersion | None, count: int, progress: Progress) -> Listing:
    """The lowest label quality first. Raises NotTrained where no version serves."""
    version = version or house.version(project)
    progress.report(0, 2, "reading what was judged")
    judged = judged_labels(house, project, version)
    progress.report(1, 2, "looking for label errors")
    by_task: dict[int, list[Suspicion]] = {}
    with quick_arithmetic(judged.embeddings):
        found = sorted(suspicions(judged), key=lambda one: one.score)
    for suspicion in found:
        for task_id in judged.tasks[judged.digest(int(suspicion.rows[0]))]:
            by_task.setdefault(task_id, []).append(suspicion)
    worst = sorted(by_task, key=lambda task_id: (by_task[task_id][0].score, task_id))[:count]
    mistakes = list(dict.fromkeys(by_task[task_id][0].mistake for task_id in worst))
    shown = [judged.tasks[judged.digest(row)] for row in judged.rows.tolist()]
    places = {row: place for place, row in enumerate(judged.rows.tolist())}
    results: dict[str, list[Json]] = {}
    entries = []
    for task_id in worst:
        own = by_task[task_id]
        digest = judged.digest(int(own[0].rows[0]))
        if digest not in results:
            results[digest] = result_of(judged, digest, task_id)
        entries.append(
            Entry(
                task_id=task_id,
                score=own[0].score,
                reason="; ".join(dict.fromkeys(one.sentence for one in own[:3])),
                result=results[digest],
                cluster=mistakes.index(own[0].mistake),
                neighbors=nearest_tasks(judged.embeddings, shown, places[int(own[0].rows[0])], task_id),
                mislabeling=1.0 - own[0].score,
                doubts=tuple(_doubt(judged, one) for one in own[:3]),
            )
        )
    scores = [own[0].score for own in by_task.values()]
    return Listing("errors", tuple(entries), _note(version, judged, scores, len(worst)))


def suspicions(judged: JudgedLabels) -> Iterator[Suspicion]:
    """Of every question, in the model's order.

    A suspicion is worth as much as the model that voices it: where a question is mostly answered wrongly, its doubts
    are doubtful, and those about an easy one go first. On pictures of 25 kinds in 5 groups, with one label in 20 mixed
    up, the first 30 of the list held 16 of the 30 without this, and 23 with it.
    """
    for key, head in judged.model.heads.items():
        if head.evidence is not None and len(judged.rows) and key[0] in judged.ontology:
            trust = head.metrics.get("accuracy", 1.0)
            for candidate in _candidates(judged, head, head.evidence):
                rows = judged.rows[candidate.rows]
                where = _where(judged.media[judged.digest(int(rows[0]))], judged.model.rows.frames[rows])
                yield Suspicion(
                    key,
                    1.0 - (1.0 - candidate.score) * trust,
                    rows,
                    (key, candidate.said, candidate.suggested),
                    f"{key[0]}: {candidate.sentence(head.options)}{where}",
                )


def _doubt(judged: JudgedLabels, one: Suspicion) -> Json:
    """What is given and what is predicted, each with its confidence in [0, 1]."""
    _, said, suggested = one.mistake
    head = judged.model.heads[one.key]
    scores = head.evidence.scores[one.rows].mean(axis=0) if head.evidence is not None else np.zeros(len(head.options))
    told: Json = {"classification": one.key[0]}
    for name, columns in (("given", said), ("predicted", suggested)):
        sure = min((scores[column] for column in columns), default=1.0 - scores[: len(head.options)].max(initial=0.0))
        told[name] = [list(head.options[column]) for column in columns]
        told[f"{name}_confidence"] = round(float(np.clip(sure, 0.0, 1.0)), 4)
    first, last = _numbers(judged.media[judged.digest(int(one.rows[0]))], judged.model.rows.frames[one.rows])
    return told | ({} if first is None else {"first": first, "last": last})


def result_of(judged: JudgedLabels, digest: str, task_id: int) -> list[Json]:
    """What a model says of this media that had not seen it, as regions."""
    media = judged.media[digest]
    return regions.write(
        judged.ontology,
        judged.unseen_answers(digest),
        timelines={media.tag.name: media.timeline} if media.timeline else {},
        lengths={media.tag.name: media.length},
        salt=str(task_id),
    )


def _candidates(judged: JudgedLabels, head: Head, evidence: Evidence) -> tuple[Candidate, ...]:
    at = judged.rows
    rows = judged.model.rows
    targets, mask = evidence.targets[at], evidence.mask[at] & evidence.counted[at]
    return label_errors(
        evidence.scores[at],
        targets,
        mask,
        exclusive=head.exclusive,
        background=head.background,
        media=rows.media[at],
        frames=rows.frames[at],
        per_media=judged.ontology.classification(head.classification).scope == "media",
        refit=cross_refit(
            lambda: new_learner(head.plugin),
            judged.embeddings,
            targets,
            rows.groups[at],
            rows.folds[at],
            exclusive=head.exclusive,
            seed=judged.model.seed,
        ),
        seed=judged.model.seed,
    ).candidates


def _where(media: Media, frames: Ids) -> str:
    """Where in a video or sequence, as Label Studio numbers it."""
    first, last = _numbers(media, frames)
    if first is None:
        return ""
    noun = "frame" if media.kind == "video" else "item"
    return f" ({noun} {first})" if first == last else f" ({noun}s {first}-{last})"


def _numbers(media: Media, frames: Ids) -> tuple[int, int] | tuple[None, None]:
    """First and last frame, from 1; None where it is all of the media."""
    if media.kind == "image" or len(frames) == media.length:
        return None, None
    first, last = int(frames.min()), int(frames.max())
    numbers = media.timeline.to_numbers(Frames.of((first, last + 1))) if media.timeline is not None else []
    return (numbers[0][0], numbers[-1][1]) if numbers else (first + 1, last + 1)


def _note(version: ModelVersion, judged: JudgedLabels, scores: list[float], shown: int) -> str:
    tasks = {task_id for ids in judged.tasks.values() for task_id in ids}
    said = f"{len(scores)} of {len(tasks)} tasks that {version.name} has learned from may be wrongly labeled"
    if scores:
        said += f", {sum(score < 0.5 for score in scores)} of them more likely than not"
    if shown < len(scores):
        said += f"; these {shown} most of all"
    if judged.changed:
        said += f"; {judged.changed} tasks were annotated since, and are not judged before the next version serves"
    return said
