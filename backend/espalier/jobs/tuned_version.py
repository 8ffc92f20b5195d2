"""A tuned version: a fine-tuned network with its heads, embedded, calibrated, evaluated and judged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from espalier_ontology.frames import Frames

from ..errors import BadModel, BrokenPlugin, NotTrained
from ..judging.evaluation import evaluate
from ..learning.dealing import parts_of
from ..learning.head import Steps
from ..learning.model import Model
from ..learning.parts import PARTS
from ..learning.rows import Located
from ..learning.tuned_head import Layer, tuned_model
from ..learning.tuning_lesson import TuningLesson
from ..plugins.checked import CheckedEncoder
from ..store.rows import ModelVersion, Project
from .cutoffs import apply_policy
from .embedding import Reports, embed
from .house import House
from .labeled_frames import embeddings_of
from .own_encoder import OwnEncoder
from .promotion import decide
from .sample import sample
from .training import encoder_json
from .tuning_reports import TuningReports
from .tuning_subject import Subject, head_name
from .version_files import EVALUATION, MODEL

ENCODER, LAST = "encoder", "last"
"""The best network and the last one, in their version's directory."""
TUNING, LESSON, NETWORK = "tuning", "lesson", "network"
"""What is only there while it is fine-tuned, and in it the lesson, and the tuner's own directory."""
CURVES = "curves.json"


def is_tuned(directory: Path) -> bool:
    """Whether the tuner has done its part in this version's directory."""
    return (directory / ENCODER).exists()


def keep(
    house: House,
    project: Project,
    version: ModelVersion,
    subject: Subject,
    reports: TuningReports,
    plugin: str,
    progress: Reports,
) -> ModelVersion:
    """The version as a candidate, its files first. Called again after a kill, it goes on where it was.

    Raises NotTrained where it was cancelled before there was anything to keep.
    """
    directory = house.version_directory(project, version.name)
    _take_over(directory, reports.cancelled)
    unlabeled = subject.lesson.taught.unlabeled.media.tolist() if subject.lesson.taught else []
    parts = parts_of(subject.lesson.rows, unlabeled)
    own = OwnEncoder(plugin, directory / ENCODER)
    begun = version.parameters["tuning"].get("pretrained")
    if isinstance(begun, str) and (before := OwnEncoder.of(house.records.version(project.key, begun))):
        parts = {**parts, **{media: part for media, part in before.parts().items() if part == "train"}}
    OwnEncoder.write_parts(directory, parts)
    model = model_of_network(house, subject, own, progress, reports.steps())
    progress.report(0, 0, "evaluating")
    return write(house, project, version, model, subject, own, curves=reports.curves(), cancelled=reports.cancelled)


def model_of_network(
    house: House, subject: Subject, own: OwnEncoder, progress: Reports, steps: Sequence[Steps | None] = ()
) -> Model:
    """The network's heads on its own embeddings of the lesson, which are kept."""
    encoder = house.check_encoder(
        subject.examples.ontology, lambda size: sample(list(subject.media.values()), size), own=own
    )
    lesson = _embedded(house, subject, encoder, progress)
    embeddings = embeddings_of(house, encoder.spec, Located(lesson.rows.media, lesson.rows.frames), subject.media)
    whole = len(lesson.rows) == len(subject.lesson.rows)
    return tuned_model(lesson, encoder.spec, layers_of(own, lesson), embeddings, steps if whole else ())


def write(
    house: House,
    project: Project,
    version: ModelVersion,
    model: Model,
    subject: Subject,
    own: OwnEncoder,
    *,
    curves: list[dict[str, object]],
    cancelled: bool = False,
) -> ModelVersion:
    """The files, and then the record: a candidate that the gate has not judged yet."""
    directory = house.version_directory(project, version.name)
    model.save(directory / MODEL)
    (directory / CURVES).write_text(json.dumps(curves))
    evaluate(subject.examples.ontology, model, seed=model.seed).save(directory / EVALUATION)
    kept = [path for path in directory.rglob("*") if path.is_file() and TUNING not in path.relative_to(directory).parts]
    version = house.records.set_version(
        project.key,
        version.name,
        state="candidate",
        directory=str(directory / MODEL),
        encoder=encoder_json(model.encoder, own, directory),
        ontology_fingerprint=model.ontology_fingerprint,
        data_fingerprint=model.data_fingerprint,
        metrics={**model.metrics(), "tuning": {"curves": curves, "cancelled": cancelled}},
        message=_about(model, subject, curves, cancelled),
        trained_on={
            "annotations": subject.examples.annotations,
            "media": len(np.unique(model.rows.media)),
            "frames": len(model.rows),
            "parts": {part: int(model.rows.part(part).sum()) for part in PARTS},
            "label_config": project.label_config,
        },
        size_bytes=sum(path.stat().st_size for path in kept),
    )
    return apply_policy(house, project, version)


def judged(house: House, project: Project, version: ModelVersion, *, may_serve: bool = True) -> ModelVersion:
    """As the gate leaves it. What was cancelled is judged too, but only a person lets it serve."""
    cancelled = bool(version.metrics.get("tuning", {}).get("cancelled"))
    return decide(house, project, version, must_be_better=True, may_serve=may_serve and not cancelled)


def layers_of(own: OwnEncoder, lesson: TuningLesson) -> list[Layer]:
    """The heads that the tuner has learned, by question of the lesson. Raises BrokenPlugin where one is missing."""
    path = own.directory / "heads.safetensors"
    try:
        arrays = load_file(path)
    except OSError as error:
        raise BadModel(f"{path} cannot be read ({error}); fine-tune again") from error
    layers = []
    for number, asked in enumerate(lesson.asked):
        name, k = head_name(number), asked.targets.shape[1]
        found = [arrays.get(f"{name}.{what}") for what in ("coefficients", "intercepts")]
        coefficients, intercepts = found
        if coefficients is None or intercepts is None or len(coefficients) != k or len(intercepts) != k:
            raise BrokenPlugin(own.plugin, f"heads.safetensors has {k} rows for {name}", str(sorted(arrays)))
        layers.append((coefficients.astype(np.float32), intercepts.astype(np.float32)))
    return layers


def _take_over(directory: Path, cancelled: bool) -> None:
    """From the tuner's directory to where encoders are looked for. The best comes last: it says that all is there."""
    network = directory / TUNING / NETWORK
    if is_tuned(directory):
        return
    if not (network / "best").exists():
        why = "cancelled before there was a first result" if cancelled else "the tuner has left no best network"
        raise NotTrained(why)
    if (network / "last").exists():
        shutil.rmtree(directory / LAST, ignore_errors=True)
        (network / "last").rename(directory / LAST)
    (network / "best").rename(directory / ENCODER)


def _embedded(house: House, subject: Subject, encoder: CheckedEncoder, progress: Reports) -> TuningLesson:
    """Every row of the lesson by the new network; what can no longer be read is left out."""
    rows = subject.lesson.rows
    wanted: dict[str, list[int]] = {}
    for digest, frame in zip(rows.media.tolist(), rows.frames.tolist(), strict=True):
        wanted.setdefault(digest, []).append(frame)
    work = [(subject.media[digest], Frames.at(frames)) for digest, frames in wanted.items() if digest in subject.media]
    report = embed(work, encoder, house.embeddings, progress=progress)
    lost = {media.digest for media, _ in report.failures} | (wanted.keys() - subject.media.keys())
    subject.examples.problems[:0] = [message for _, message in report.failures]
    if not lost:
        return subject.lesson

    def is_there(digest: str, frame: int) -> bool:
        if digest not in lost:
            return True
        if digest not in subject.media:
            return False
        item, number = subject.media[digest].key(frame)
        return not house.embeddings.missing(encoder.spec.digest, item, Frames.at([number]))

    return subject.lesson.only(np.array(list(map(is_there, rows.media.tolist(), rows.frames.tolist())), np.bool_))


def _about(model: Model, subject: Subject, curves: list[dict[str, object]], cancelled: bool) -> str:
    message = (
        f"fine-tuned on {int(model.rows.part('train').sum())} frames: {model.encoder.name} ({model.encoder.reason})"
    )
    if cancelled:
        message = f"cancelled, the best so far is kept; {message}"
    if problems := list(dict.fromkeys(subject.examples.problems)):
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        message += f"; left out: {'; '.join(problems[:5])}{more}"
    return message
