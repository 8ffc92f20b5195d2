"""Training on every answer so far: read, open, embed, fit, keep, serve."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Embeddings, EncoderSpec
from ..errors import NotTrained
from ..learning.evaluation import evaluate
from ..learning.model import Model
from ..learning.parts import PARTS
from ..learning.questions import LeftOut, Question
from ..learning.rows import Located
from ..learning.targets import lesson
from ..learning.training import train as fit
from ..learning.training_parameters import TrainingParameters
from ..media.media import Media
from ..plugins.registry import new_classifier
from ..store.rows import ModelVersion, Project
from . import mirroring, revisit
from .choosing import parameters_of
from .cutoffs import apply_policy
from .embedding import embed
from .examples import Examples, gather
from .house import House
from .progress import Progress
from .promotion import decide
from .sample import sample

log = logging.getLogger(__name__)

MODEL, EVALUATION = "model", "evaluation"
"""Where the parts of a version lie in its directory."""
_DRAFT_S = 3600


def train(house: House, project_key: str, progress: Progress, *, reconcile: bool = False) -> ModelVersion:
    """A new model version from all answers, which serves from now on if the gate lets it.

    Raises NotTrained, saying what is still needed. `reconcile`: read all of the project from Label Studio first, which
    takes its time, instead of trusting events.
    """
    project = house.project(project_key)
    progress.report(0, 4, "reading annotations")
    if reconcile:
        mirroring.reconcile(house, project)
        project = house.project(project_key)
    revisit.refresh(house, project)
    parameters = parameters_of(project)
    examples = gather(house, project, parameters)
    learned = lesson(examples.ontology, examples.annotated, parameters=parameters)
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
        parameters=parameters,
        chosen=examples.chosen,
        data_fingerprint=examples.fingerprint,
    )
    if not any(head.trained for head in model.heads.values()):
        house.records.mark_trained(project_key, project.revision)
        raise NotTrained("; ".join(sorted({head.reason for head in model.heads.values() if head.reason})))
    progress.report(3, 4, "keeping the model version")
    version = _keep(house, project, model, examples, parameters)
    version = apply_policy(house, project, version)
    version = decide(house, project, version)
    house.records.mark_trained(project_key, project.revision)
    progress.report(4, 4, f"{version.name} is {version.state}")
    log.info("project %s: %s is %s; %s", project.id, version.name, version.state, version.message)
    return version


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


def _keep(
    house: House, project: Project, model: Model, examples: Examples, parameters: TrainingParameters
) -> ModelVersion:
    """A candidate: its files first, whole or not at all, and then its row."""
    versions = house.records.versions(project.key)
    name = f"espalier-v{1 + max((_number(version.name) for version in versions), default=0)}"
    directory = house.version_directory(project, name)
    directory.parent.mkdir(parents=True, exist_ok=True)
    _sweep(directory.parent, {version.name for version in versions})
    model.save(directory / MODEL)
    evaluate(examples.ontology, model, seed=parameters.seed).save(directory / EVALUATION)
    spec = model.encoder
    version = ModelVersion(
        project_key=project.key,
        name=name,
        state="candidate",
        directory=str(directory / MODEL),
        encoder={"name": spec.name, "dim": spec.dim, "digest": spec.digest, "reason": spec.reason},
        ontology_fingerprint=examples.ontology.fingerprint,
        data_fingerprint=examples.fingerprint,
        metrics=model.metrics(),
        created_at=datetime.now(timezone.utc),
        message=_about(model, examples),
        parameters=parameters.to_json(),
        trained_on={
            "annotations": examples.annotations,
            "media": len(np.unique(model.rows.media)),
            "frames": len(model.rows),
            "parts": {part: int(model.rows.part(part).sum()) for part in PARTS},
            "label_config": project.label_config,
        },
        size_bytes=sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()),
        parent=project.served,
    )
    house.records.add_version(version)
    return version


def _about(model: Model, examples: Examples) -> str:
    spec, problems = model.encoder, examples.problems
    message = f"trained on {len(examples.annotated)} annotated media with {spec.name} ({spec.reason})"
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        message += f"; left out: {'; '.join(problems[:5])}{more}"
    return message


def _sweep(versions: Path, known: Collection[str]) -> None:
    """Remove what a worker has left that was killed while it wrote a version.

    What is younger may be another process's, at work this minute.
    """
    for path in versions.iterdir():
        if path.name not in known and time.time() - path.stat().st_mtime > _DRAFT_S:
            shutil.rmtree(path, ignore_errors=True)


def _sentence(left_out: LeftOut) -> str:
    where = " / ".join((left_out.classification, *left_out.parent))
    return f"{where}: {left_out.frames} frames, {left_out.reason}"


def _number(name: str) -> int:
    tail = name.rpartition("-v")[2]
    return int(tail) if tail.isdigit() else 0


def _nothing_to_learn(examples: Examples) -> str:
    if examples.problems:
        return "no annotation could be learned from: " + "; ".join(examples.problems[:5])
    if not examples.ontology.classifications:
        reasons = "; ".join(f"{skipped.name}: {skipped.reason}" for skipped in examples.ontology.skipped)
        return f"the labeling configuration asks nothing that can be predicted ({reasons or 'no controls'})"
    return "nothing is annotated yet: label a few frames with at least two different options"
