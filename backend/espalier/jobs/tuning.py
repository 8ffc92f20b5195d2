"""Fine-tuning: a network of one's own from all answers so far, as a job that can be watched, cancelled and killed.

It stands in a line of its own, so that answers go on being learned by the version that serves while it runs, for
minutes or for a day. Its version is listed from the start, and becomes a candidate, which the gate judges like others.
"""

from __future__ import annotations

import logging
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ..errors import BadRequest, EspalierError, LabelStudioDown
from ..learning import tuning_lesson_files
from ..store.rows import ModelVersion, Project
from ..tuning_parameters import TuningParameters
from .house import House
from .lock import Lock
from .progress import Progress
from .queue import job_of_tuning, tuning_lock
from .teaching import taught, unlabeled
from .training import next_name
from .tuned_version import LESSON, NETWORK, TUNING, is_tuned, judged, keep
from .tuners import open_tuner, tuner_of
from .tuning_pictures import TuningPictures
from .tuning_reports import CANCELLED, TuningReports
from .tuning_subject import Subject, again, begun_from, read_subject

log = logging.getLogger(__name__)

_GRACE = timedelta(minutes=1)


def plan(house: House, project_key: str, parameters: TuningParameters, *, job: str = "") -> ModelVersion:
    """Put a fine-tuning on the books, under its version's name; `tune` does the work.

    job: that plans it; done again after a kill, it finds the version that it has planned. Raises BadRequest or
    BadSetting where it could not possibly succeed.
    """
    if (planned := house.records.version_of(project_key, job)) is not None:
        return planned
    project = house.project(project_key)
    tuner_of(parameters)
    begun_from(house, project, parameters)
    if parameters.teacher is not None:
        house.version(project, parameters.teacher)
    while True:
        name = next_name(house.records.versions(project_key))
        version = ModelVersion(
            project_key=project_key,
            name=name,
            state="training",
            directory="",
            encoder={},
            ontology_fingerprint="",
            data_fingerprint="",
            metrics={},
            created_at=datetime.now(timezone.utc),
            message="waits for a worker",
            parameters={"tuning": parameters.to_json(), "revision": project.revision, **({"job": job} if job else {})},
            parent=project.served,
        )
        with suppress(BadRequest):  # a training took the name this moment
            house.records.add_version(version)
            return version


def tune(
    house: House,
    project_key: str,
    parameters: TuningParameters | None,
    progress: Progress,
    *,
    name: str | None = None,
) -> ModelVersion:
    """Fine-tune a network, and let it serve if the gate does. Returns its version, as it is then.

    name: of a version that was planned, or whose process died; its own parameters hold, and it goes on where it was.
    A cancelled one becomes a candidate with the best so far. Raises what stopped it; then the version has failed, and
    its message says why. Where Label Studio is down, or this worker leaves, it stays as it is, to be taken up again.
    """
    project = house.project(project_key)
    if name is None:
        version = plan(house, project_key, parameters or TuningParameters())
    else:
        version = house.version(project, name)
        if is_over(version):  # its process died right after
            return version
    if version.state == "candidate":
        return _judged(house, project, version)
    lock = Lock(house.queues.redis, tuning_lock(project_key, version.name), progress.job_id)
    if not lock.take():
        raise BadRequest(f"{version.name} is being fine-tuned already")
    try:
        with lock:
            return _tune(house, project, version, progress)
    except LabelStudioDown:
        raise
    except EspalierError as error:
        _fail(house, project, version, str(error))
        raise
    except Exception as error:
        _fail(
            house, project, version, f"failed unexpectedly ({type(error).__name__}); the worker's log has the details"
        )
        raise


def unfinished(house: House, project_key: str, name: str) -> ModelVersion:
    """A fine-tuning that can be gone on with. Raises BadRequest where it is none."""
    version = house.version(house.project(project_key), name)
    if is_over(version):
        raise BadRequest(f"{name} is done, so there is nothing to go on with: it is {version.state}")
    return version


def is_over(version: ModelVersion) -> bool:
    """Whether the gate has had its say, or there never was anything to fine-tune."""
    open_still = version.state in ("training", "failed") or (version.state == "candidate" and not version.gate)
    return "tuning" not in version.parameters or not open_still


def settle(house: House, project_key: str) -> None:
    """Versions that say they are being trained, though nobody is at it any more, have failed."""
    project = house.project(project_key)
    for version in house.records.versions(project_key):
        if version.state != "training" or datetime.now(timezone.utc) - version.created_at < _GRACE:
            continue
        status = house.queues.status(job_of_tuning(project_key, version.name))
        if status.state in ("queued", "running") or house.queues.redis.exists(tuning_lock(project_key, version.name)):
            continue
        said = status.message if status.state == "failed" else "its process ended"
        message = f"{said}; `espalier finetune {project.id} --resume {version.name}` takes it up where it was"
        house.records.set_version(project_key, version.name, state="failed", message=message)


def cancel(house: House, project_key: str, name: str) -> str:
    """Ask a fine-tuning to stop; what becomes of it, in words."""
    version = house.version(house.project(project_key), name)
    if version.state != "training":
        raise BadRequest(f"{name} is not being fine-tuned: it is {version.state}")
    status = house.queues.cancel(job_of_tuning(project_key, name))
    if status.state == "cancelled":
        house.records.set_version(project_key, name, state="failed", message="cancelled before it began")
        return f"{name} was cancelled before it began"
    if status.state not in ("queued", "running"):
        raise BadRequest(f"{name} is not done by a worker: interrupt it (Ctrl+C) where it was started")
    return f"{name} stops at its next step, and keeps the best so far"


def _tune(house: House, project: Project, version: ModelVersion, progress: Progress) -> ModelVersion:
    parameters = TuningParameters.from_json(version.parameters["tuning"])
    directory = house.version_directory(project, version.name)
    if version.state == "failed":  # a person takes it up again
        (directory / TUNING / CANCELLED).unlink(missing_ok=True)
    version = house.records.set_version(project.key, version.name, state="training", message="reading annotations")
    subject = _subject(house, project, parameters, directory, progress)
    reports = TuningReports(house, version, subject.lesson, directory / TUNING, progress)
    if not is_tuned(directory):
        began = time.monotonic()
        with TuningPictures(subject.located, subject.media) as pictures:
            data = subject.data(pictures)
            progress.report(0, 0, "opening the network")
            tuner = open_tuner(house, project, parameters, data)
            tuner.tune(directory / TUNING / NETWORK, reports)
        subject.examples.problems[:0] = pictures.problems.values()
        log.info("%s: fine-tuned in %.0f s", version.name, time.monotonic() - began)
    plugin, _ = tuner_of(parameters)
    version = keep(house, project, version, subject, reports, plugin, reports.patient)
    return _judged(house, project, version)


def _judged(house: House, project: Project, version: ModelVersion) -> ModelVersion:
    with house.queues.turn.alone(project.key):  # a training may be about to change what it is compared with
        version = judged(house, project, version)
    shutil.rmtree(house.version_directory(project, version.name) / TUNING, ignore_errors=True)
    if version.state == "promoted" and house.project(project.key).revision != version.parameters["revision"]:
        house.queues.request_training(project.key)  # what people answered meanwhile is learned on top of it
    log.info("project %s: %s is %s; %s", project.id, version.name, version.state, version.message)
    return version


def _subject(
    house: House, project: Project, parameters: TuningParameters, directory: Path, progress: Progress
) -> Subject:
    """What was begun with, or what there is to learn now."""
    place = directory / TUNING / LESSON
    if (kept := tuning_lesson_files.load(place)) is not None:
        subject = again(house, project, kept)
        if kept.taught is not None:
            subject = replace(subject, media={**unlabeled(house, project, subject), **subject.media})
        return subject
    with house.queues.turn.alone(project.key):  # a training that took the same name may be about to move its files
        place.mkdir(parents=True, exist_ok=True)
    subject = read_subject(house, project, parameters, progress)
    if parameters.teacher is not None:
        subject = taught(house, project, parameters.teacher, subject, progress)
    tuning_lesson_files.save(subject.lesson, place)
    return subject


def _fail(house: House, project: Project, version: ModelVersion, why: str) -> None:
    house.records.set_version(project.key, version.name, state="failed", message=why)
    directory = house.version_directory(project, version.name)
    if not (directory / TUNING / NETWORK).exists():
        shutil.rmtree(directory, ignore_errors=True)
    log.warning("project %s: %s was not fine-tuned: %s", project.id, version.name, why)


def was_cancelled(version: ModelVersion) -> bool:
    """Whether a person stopped it before its end."""
    return bool(version.metrics.get("tuning", {}).get("cancelled"))
