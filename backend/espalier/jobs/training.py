"""Training on every answer so far: read, open, embed, fit, keep, serve."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..contract import Embeddings, EncoderSpec
from ..errors import NotTrained
from ..learning.model import Model
from ..learning.questions import Annotated, LeftOut, Question
from ..learning.rows import Located
from ..learning.targets import lesson
from ..learning.training import train as fit
from ..media.media import Media
from ..plugins.registry import new_classifier
from ..store.rows import Annotation, ModelVersion, Project, Task
from . import mirroring
from .embedding import embed
from .house import House
from .opening import open_tasks
from .progress import Progress
from .reading import Readings
from .sample import sample

log = logging.getLogger(__name__)

_DRAFT_S = 3600


@dataclass
class Examples:
    """What people have said, with the media it was said about."""

    annotated: list[Annotated] = field(default_factory=list)
    media: dict[str, Media] = field(default_factory=dict)
    """By media digest."""
    problems: list[str] = field(default_factory=list)
    """What could not be read comes first: somebody may mend it."""
    ontology: Ontology = field(default_factory=Ontology)
    fingerprint: str = ""
    """Changes with the answers that were learned from."""


def train(house: House, project_key: str, progress: Progress, *, reconcile: bool = False) -> ModelVersion:
    """A new served model version from all answers. Raises NotTrained, saying what is still needed.

    `reconcile`: read all of the project from Label Studio first, which takes its time, instead of trusting events.
    """
    project = house.project(project_key)
    progress.report(0, 4, "reading annotations")
    if reconcile:
        mirroring.reconcile(house, project)
        project = house.project(project_key)
    examples = gather(house, project)
    learned = lesson(examples.ontology, examples.annotated)
    asked = learned.questions
    examples.problems += [_sentence(left_out) for left_out in learned.left_out]
    if not asked:
        house.records.mark_trained(project_key, project.revision)
        raise NotTrained(_nothing_to_learn(examples))
    progress.report(1, 4, "embedding frames")
    every = list(examples.media.values())
    encoder = house.check_encoder(examples.ontology, lambda size: sample(every, size))
    report = embed(
        [(examples.media[digest], frames) for digest, frames in _frames(asked).items()],
        encoder,
        house.embeddings,
        progress=progress,
    )
    examples.problems[:0] = [message for _, message in report.failures]
    asked = _readable(house, encoder.spec, asked, {media.digest: media for media, _ in report.failures})
    progress.report(2, 4, "fitting classifiers")
    model = fit(
        examples.ontology,
        asked,
        lambda located: _embeddings(house, encoder.spec, located, examples.media),
        encoder=encoder.spec,
        classifier=new_classifier,
        data_fingerprint=examples.fingerprint,
    )
    if not any(head.trained for head in model.heads.values()):
        house.records.mark_trained(project_key, project.revision)
        raise NotTrained("; ".join(sorted({head.reason for head in model.heads.values() if head.reason})))
    progress.report(3, 4, "keeping the model version")
    version = _keep(house, project, encoder.spec, model, examples)
    house.records.mark_trained(project_key, project.revision)
    progress.report(4, 4, f"{version.name} serves")
    return version


def gather(house: House, project: Project) -> Examples:
    """Every answer of every annotation that was not skipped, with its media."""
    tasks = {task.id: task for task in house.records.tasks(project.key)}
    annotations = [
        annotation
        for annotation in house.records.annotations(project.key)
        if not annotation.was_cancelled and annotation.result and annotation.task_id in tasks
    ]
    annotated_tasks = [tasks[task_id] for task_id in sorted({annotation.task_id for annotation in annotations})]
    ontology = house.ontology(project, (task.data for task in tasks.values()))
    examples = Examples(ontology=ontology, fingerprint=_fingerprint(annotated_tasks, annotations))
    opened = {
        one.task_id: one
        for one in open_tasks([(task.id, task.data) for task in annotated_tasks], ontology, house.fetcher(project))
    }
    for one in opened.values():
        examples.problems += one.failures
        examples.media |= {media.digest: media for media in one.media.values()}
    readings = Readings(ontology)
    for annotation in annotations:
        one = opened[annotation.task_id]
        if not one.media:
            continue
        reading = readings.read(annotation.result, one)
        examples.problems += [f"task {annotation.task_id}: {problem}" for problem in reading.problems]
        examples.annotated += [
            Annotated(
                media=media.digest,
                group=media.digest,
                answers=reading.answers,
                length=media.length,
                ground_truth=annotation.ground_truth,
                tag=name,
            )
            for name, media in one.media.items()
        ]
    return examples


def _frames(asked: tuple[Question, ...]) -> dict[str, Frames]:
    """The frames that any question needs, by media."""
    wanted: dict[str, set[int]] = {}
    for question in asked:
        for digest, frame in zip(question.media, question.frames, strict=True):
            wanted.setdefault(digest, set()).add(int(frame))
    return {digest: Frames.at(numbers) for digest, numbers in wanted.items()}


def _embeddings(house: House, spec: EncoderSpec, located: Located, media: Mapping[str, Media]) -> Embeddings:
    keys = [media[digest].key(int(frame)) for digest, frame in zip(*located, strict=True)]
    return house.embeddings.read_many(spec.digest, keys)


def _readable(
    house: House, spec: EncoderSpec, asked: tuple[Question, ...], lost: Mapping[str, Media]
) -> tuple[Question, ...]:
    """The questions without the rows whose frames could not be read."""

    def is_kept(digest: str, frame: int) -> bool:
        media = lost.get(digest)
        if media is None:
            return True
        item, number = media.key(frame)
        return not house.embeddings.missing(spec.digest, item, Frames.at([number]))

    return tuple(
        question.rows(np.array(list(map(is_kept, question.media.tolist(), question.frames.tolist())), np.bool_))
        for question in asked
    )


def _keep(house: House, project: Project, spec: EncoderSpec, model: Model, examples: Examples) -> ModelVersion:
    number = 1 + max((_number(version.name) for version in house.records.versions(project.key)), default=0)
    name = f"espalier-v{number}"
    directory = house.version_directory(project, name)
    directory.parent.mkdir(parents=True, exist_ok=True)
    _sweep(directory.parent)
    model.save(directory)
    trained = [head for head in model.heads.values() if head.trained]
    message = f"trained on {len(examples.annotated)} annotated media with {spec.name} ({spec.reason})"
    if examples.problems:
        message += f"; left out: {'; '.join(examples.problems[:5])}" + (
            f" and {len(examples.problems) - 5} more" if len(examples.problems) > 5 else ""
        )
    version = ModelVersion(
        project_key=project.key,
        name=name,
        state="candidate",
        directory=str(directory),
        encoder={"name": spec.name, "dim": spec.dim, "digest": spec.digest, "reason": spec.reason},
        ontology_fingerprint=examples.ontology.fingerprint,
        data_fingerprint=examples.fingerprint,
        metrics=model.metrics(),
        created_at=datetime.now(timezone.utc),
        message=message,
    )
    house.records.add_version(version)
    house.records.serve(project.key, name)
    log.info("project %s: %s serves; %d classifiers, %s", project.id, name, len(trained), message)
    return version


def _sweep(versions: Path) -> None:
    """Remove what a worker has left that was killed while it wrote a version; a whole one's name begins with no dot.

    What is younger may be another process's, at work this minute.
    """
    for path in versions.glob(".*"):
        if time.time() - path.stat().st_mtime > _DRAFT_S:
            shutil.rmtree(path, ignore_errors=True)


def _sentence(left_out: LeftOut) -> str:
    where = " / ".join((left_out.classification, *left_out.parent))
    return f"{where}: {left_out.frames} frames, {left_out.reason}"


def _number(name: str) -> int:
    tail = name.rpartition("-v")[2]
    return int(tail) if tail.isdigit() else 0


def _fingerprint(tasks: list[Task], annotations: list[Annotation]) -> str:
    learned = [
        [[task.id, task.data] for task in tasks],
        [[annotation.id, annotation.task_id, annotation.result] for annotation in annotations],
    ]
    return hashlib.sha256(json.dumps(learned, sort_keys=True).encode()).hexdigest()[:16]


def _nothing_to_learn(examples: Examples) -> str:
    if examples.problems:
        return "no annotation could be learned from: " + "; ".join(examples.problems[:5])
    if not examples.ontology.classifications:
        reasons = "; ".join(f"{skipped.name}: {skipped.reason}" for skipped in examples.ontology.skipped)
        return f"the labeling configuration asks nothing that can be predicted ({reasons or 'no controls'})"
    return "nothing is annotated yet: label a few frames with at least two different options"
