"""Teaching: the scores of another version as targets for a network that is fine-tuned, on frames with and without
answers. A smaller network learns from a larger one, or from an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Embeddings
from ..errors import NotTrained
from ..learning.folds import join_duplicates
from ..learning.parts import TRAIN
from ..learning.rows import Located
from ..learning.soft_targets import answered_by, soft_targets
from ..learning.tuning_lesson import Taught
from ..media.media import Media
from ..plugins.checked import CheckedEncoder
from ..store.rows import Project
from .embedding import embed
from .house import House
from .labeled_frames import embeddings_of
from .opening import open_tasks
from .own_encoder import OwnEncoder
from .progress import Progress
from .task_frames import spread
from .tuning_subject import Subject

FRAMES = 20_000
"""Frames without answers that are learned from, at most."""
_PER_MEDIA = 8


def taught(house: House, project: Project, teacher: str, subject: Subject, progress: Progress) -> Subject:
    """With the soft targets of a version, by name. Questions and options that it does not know are as they were.

    Only training rows are taught; of frames without answers, those that are no near-duplicates of what is judged on.
    Raises NotTrained where nothing of the teacher is left.
    """
    version = house.version(project, teacher)
    if not version.directory:
        raise NotTrained(f"{teacher} cannot teach: its files are gone")
    model, lesson, ontology = house.model(Path(version.directory)), subject.lesson, subject.examples.ontology
    frozen, encoder = house.encoder(ontology), house.encoder(ontology, own=OwnEncoder.of(version))
    media = {**unlabeled(house, project, subject), **subject.media}
    new = [one for digest, one in media.items() if digest not in subject.media]
    located = _read(house, new, (frozen, encoder), progress)
    labeled = Located(lesson.rows.media, lesson.rows.frames)
    embed(_work(media, labeled), encoder, house.embeddings, progress=progress)
    located = _kept(house, subject, labeled, located, frozen, media)
    embeddings = [_embeddings(house, encoder, where, media) for where in (labeled, located)]
    scores = model.scores(np.concatenate(embeddings))
    answered = answered_by(ontology, model, scores)
    train = np.concatenate([lesson.rows.parts == TRAIN, np.ones(len(located.frames), np.bool_)])
    columns = [
        soft_targets(asked, model.heads.get(key), scores.get(key), answered.get(asked.classification), train)
        for asked in lesson.asked
        for key in [(asked.classification, asked.parent)]
    ]
    targets, masks, weights = zip(*columns, strict=True)
    return replace(subject, lesson=replace(lesson, taught=Taught(located, targets, masks, weights)), media=media)


def unlabeled(house: House, project: Project, subject: Subject) -> dict[str, Media]:
    """Media of tasks that nobody has answered, by digest."""
    answered = {task for tasks in subject.examples.tasks.values() for task in tasks}
    tasks = [(task.id, task.data) for task in house.records.tasks(project.key) if task.id not in answered]
    opened = open_tasks(tasks[:FRAMES], subject.examples.ontology, house.fetcher(project))
    return {media.digest: media for one in opened for media in one.media.values()}


def _read(house: House, media: list[Media], encoders: tuple[CheckedEncoder, ...], progress: Progress) -> Located:
    """Some frames of each, embedded by every encoder. What cannot be read is left out."""
    work = [(one, spread(one, _PER_MEDIA)) for one in media]
    for encoder in {encoder.spec.digest: encoder for encoder in encoders}.values():
        embed(work, encoder, house.embeddings, progress=progress)
    found = [
        (one.digest, frame)
        for one, wanted in work
        for frame in wanted
        for item, number in [one.key(frame)]
        if not any(house.embeddings.missing(by.spec.digest, item, Frames.at([number])) for by in encoders)
    ][:FRAMES]
    return Located(np.array([digest for digest, _ in found], np.str_), np.array([at for _, at in found], np.int64))


def _kept(
    house: House,
    subject: Subject,
    labeled: Located,
    located: Located,
    frozen: CheckedEncoder,
    media: Mapping[str, Media],
) -> Located:
    """Without frames that nearly are some that the network is judged on."""
    rows = subject.lesson.rows
    alike = np.concatenate([_embeddings(house, frozen, where, media) for where in (labeled, located)])
    own = rows.groups.max(initial=0) + 1 + np.arange(len(located.frames))
    groups = join_duplicates(alike, np.concatenate([rows.groups, own]), seed=subject.lesson.seed)
    kept = ~np.isin(groups[len(rows) :], groups[: len(rows)][rows.parts != TRAIN])
    return Located(located.media[kept], located.frames[kept])


def _work(media: Mapping[str, Media], located: Located) -> list[tuple[Media, Frames]]:
    wanted: dict[str, list[int]] = {}
    for digest, frame in zip(located.media.tolist(), located.frames.tolist(), strict=True):
        wanted.setdefault(digest, []).append(frame)
    return [(media[digest], Frames.at(frames)) for digest, frames in wanted.items()]


def _embeddings(house: House, encoder: CheckedEncoder, located: Located, media: Mapping[str, Media]) -> Embeddings:
    if not len(located.frames):
        return np.zeros((0, encoder.spec.dim), np.float32)
    return embeddings_of(house, encoder.spec, located, media)
