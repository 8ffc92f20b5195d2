"""Training on every answer so far: read, open, embed, fit, keep, serve."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from ..contract import EncoderSpec
from ..errors import BadModel, NotTrained
from ..judging.evaluation import evaluate
from ..learning.model import Model
from ..learning.parts import PARTS
from ..learning.questions import LeftOut
from ..learning.targets import lesson
from ..learning.training import train as fit
from ..learning.training_parameters import TrainingParameters
from ..media.media import Media
from ..plugins.checked import CheckedEncoder
from ..plugins.registry import new_classifier
from ..store.rows import ModelVersion, Project
from . import mirroring, revisit
from .choosing import parameters_of
from .cutoffs import apply_policy
from .examples import Examples, gather
from .freshness import LIVE
from .house import House
from .judged_tasks import JudgedTasks
from .knowing import Knowing, in_words, is_wanted
from .label_mappings import held
from .labeled_frames import embedded, embeddings_of
from .living import live_classifications, meaning
from .own_encoder import OwnEncoder
from .progress import Progress
from .promotion import decide
from .sample import sample
from .version_files import ANSWERED, EVALUATION, MODEL

log = logging.getLogger(__name__)

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
    position = house.records.position(project_key)  # whatever changes from here on may be read or not
    mappings = held(house, project)
    examples = gather(house, project, parameters)
    learned = lesson(examples.ontology, examples.annotated, parameters=parameters)
    asked = learned.questions
    examples.problems += [_sentence(left_out) for left_out in learned.left_out]
    if not asked and not is_wanted(examples.ontology) and not live_classifications(examples.ontology, parameters):
        house.records.mark_trained(project_key, project.revision)
        raise NotTrained(_nothing_to_learn(examples))
    progress.report(1, 4, "embedding frames")
    every = list(examples.media.values())
    encoder, own = _encoder(house, project, parameters, examples, every)
    asked = embedded(house, asked, examples, encoder, progress)
    alike = encoder
    if own is not None:
        alike = house.encoder(examples.ontology)
        asked = embedded(house, asked, examples, alike, progress)
    progress.report(2, 4, "fitting classifiers")
    model = fit(
        examples.ontology,
        asked,
        lambda located: embeddings_of(house, encoder.spec, located, examples.media),
        encoder=encoder.spec,
        classifier=new_classifier,
        parameters=parameters,
        chosen=examples.chosen,
        data_fingerprint=examples.fingerprint,
        alike=lambda located: embeddings_of(house, alike.spec, located, examples.media),
        taught=own.parts() if own else None,
        known=_known(house, project, examples, encoder),
    )
    if not any(head.trained for head in model.heads.values()):
        house.records.mark_trained(project_key, project.revision)
        raise NotTrained("; ".join(sorted({head.reason for head in model.heads.values() if head.reason})))
    progress.report(3, 4, "keeping the model version")
    read_at = {"position": position, "meaning": meaning(examples.ontology, mappings, parameters)}
    version = _keep(house, project, model, examples, parameters, own, read_at)
    version = apply_policy(house, project, version)
    version = decide(house, project, version)
    house.records.mark_trained(project_key, project.revision)
    progress.report(4, 4, f"{version.name} is {version.state}")
    log.info("project %s: %s is %s; %s", project.id, version.name, version.state, version.message)
    return version


def _known(house: House, project: Project, examples: Examples, encoder: CheckedEncoder) -> Knowing | None:
    if not is_wanted(examples.ontology):
        return None
    return Knowing(house, project, examples.ontology, encoder, JudgedTasks(house, project, examples))


def _encoder(
    house: House, project: Project, parameters: TrainingParameters, examples: Examples, media: Sequence[Media]
) -> tuple[CheckedEncoder, OwnEncoder | None]:
    """That of the version that serves, so that what was fine-tuned goes on learning; else that of the settings."""
    served = house.records.version(project.key, project.served) if project.served else None
    own = None if parameters.frozen else OwnEncoder.of(served)
    if own is not None:
        try:
            own.parts()
            return house.check_encoder(examples.ontology, lambda size: sample(media, size), own=own), own
        except (BadModel, OSError) as reason:
            problem = f"the network of {project.served} cannot be opened ({reason}), so that of the settings was used"
            log.warning("project %s: %s", project.id, problem)
            examples.problems.insert(0, problem)
    return house.check_encoder(examples.ontology, lambda size: sample(media, size)), None


def _keep(
    house: House,
    project: Project,
    model: Model,
    examples: Examples,
    parameters: TrainingParameters,
    own: OwnEncoder | None,
    read_at: Mapping[str, Any],
) -> ModelVersion:
    """A candidate: its files first, whole or not at all, and then its row. read_at: the state of what was read."""
    versions = house.records.versions(project.key)
    name = next_name(versions)
    directory = house.version_directory(project, name)
    directory.parent.mkdir(parents=True, exist_ok=True)
    _sweep(directory.parent, {version.name for version in versions})
    model.save(directory / MODEL)
    evaluate(examples.ontology, model, seed=parameters.seed).save(directory / EVALUATION)
    is_live = bool(live_classifications(examples.ontology, parameters))
    if is_live:
        (directory / ANSWERED).write_text(json.dumps(examples.tasks))
    spec = model.encoder
    version = ModelVersion(
        project_key=project.key,
        name=name,
        state="candidate",
        directory=str(directory / MODEL),
        encoder=encoder_json(spec, own, directory),
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
            LIVE: is_live,
            **read_at,
        },
        size_bytes=sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()),
        parent=project.served,
    )
    house.records.add_version(version)
    return version


def encoder_json(spec: EncoderSpec, own: OwnEncoder | None, version_directory: Path) -> dict[str, Any]:
    """What a version's record says of its encoder."""
    about = {"name": spec.name, "dim": spec.dim, "digest": spec.digest, "reason": spec.reason}
    return about if own is None else {**about, **own.to_json(version_directory)}


def _about(model: Model, examples: Examples) -> str:
    spec, problems = model.encoder, examples.problems
    message = f"trained on {len(examples.annotated)} annotated media with {spec.name} ({spec.reason})"
    unlabeled = in_words(model)
    if unlabeled:
        message = f"{message if examples.annotated else f'no label yet, with {spec.name}'}; answers {unlabeled}"
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


def next_name(versions: Sequence[ModelVersion]) -> str:
    """What the next version of a project is called."""
    return f"espalier-v{1 + max((_number(version.name) for version in versions), default=0)}"


def _number(name: str) -> int:
    tail = name.rpartition("-v")[2].partition("-")[0]
    return int(tail) if tail.isdigit() else 0


def _nothing_to_learn(examples: Examples) -> str:
    if examples.problems:
        return "no annotation could be learned from: " + "; ".join(examples.problems[:5])
    if not examples.ontology.classifications:
        reasons = "; ".join(f"{skipped.name}: {skipped.reason}" for skipped in examples.ontology.skipped)
        return f"the labeling configuration asks nothing that can be predicted ({reasons or 'no controls'})"
    return "nothing is annotated yet: label a few frames with at least two different options"
