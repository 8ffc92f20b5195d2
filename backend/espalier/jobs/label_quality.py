"""What is judged of a project's labels: the rows of the version that serves, with the tasks that show them today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espalier_ontology.answers import Answer
from espalier_ontology.tree import Ontology

from ..contract import Embeddings, Ids
from ..learning.decide import answers_for
from ..learning.decision import Decision
from ..learning.model import Model
from ..learning.training_parameters import TrainingParameters
from ..media.media import Media
from ..store.rows import ModelVersion, Project
from .examples import gather
from .house import House


@dataclass(frozen=True)
class JudgedLabels:
    """rows int64 (m,): those of `model.rows` that can still be looked at. embeddings float32 (m, dim), one for each.

    Left out are rows of tasks that are gone, cannot be opened, or were annotated anew since the version was trained.
    """

    model: Model
    ontology: Ontology
    rows: Ids
    embeddings: Embeddings
    media: Mapping[str, Media]
    """By media digest."""
    tasks: Mapping[str, tuple[int, ...]]
    """By media digest, the tasks that show it, in order."""
    changed: int = 0
    """How many annotated tasks were left out because somebody has answered since."""

    def digest(self, row: int) -> str:
        """Of the media of a row of the model."""
        return str(self.model.rows.media[row])

    def unseen_answers(self, digest: str) -> list[Answer]:
        """What classifiers that had not seen this media answer on its judged frames.

        Where exactly one option holds, the likeliest is answered, however likely; elsewhere the cutoffs hold.
        """
        rows = np.flatnonzero(self.model.rows.media == digest)
        rows = rows[np.argsort(self.model.rows.frames[rows])]
        frames = self.model.rows.frames[rows]
        gap = int(np.median(np.diff(frames))) if len(frames) > 1 else 1
        media = self.media[digest]
        return answers_for(
            self.ontology,
            self.model,
            {key: head.evidence.scores[rows] for key, head in self.model.heads.items() if head.evidence is not None},
            frames,
            length=media.length,
            parameters=Decision(cutoffs=self._likeliest, stride=max(1, gap), min_length=1, min_gap=1),
            source="unseen",
            media=media.tag.name,
        )

    @property
    def _likeliest(self) -> Mapping[str, float]:
        names = {name for name, _ in self.model.heads}
        return {
            name: 0.0
            for name in names
            if all(head.exclusive and not head.background for key, head in self.model.heads.items() if key[0] == name)
        }


def judged_labels(house: House, project: Project, version: ModelVersion) -> JudgedLabels:
    """Opens the annotated media, to know which tasks show them; what was embedded for training is read again."""
    model = house.model(Path(version.directory))
    examples = gather(house, project, TrainingParameters.from_json(project.training))
    later = {
        annotation.task_id
        for annotation in house.records.annotations(project.key)
        if annotation.updated_at is not None and annotation.updated_at > version.created_at
    }
    tasks = {digest: tuple(sorted(set(ids) - later)) for digest, ids in examples.tasks.items() if set(ids) - later}
    digest = model.encoder.digest
    rows: list[int] = []
    keys: list[tuple[str, int]] = []
    for row, (media, frame) in enumerate(zip(model.rows.media.tolist(), model.rows.frames.tolist(), strict=True)):
        if media in tasks and frame < examples.media[media].length:
            rows.append(row)
            keys.append(examples.media[media].key(frame))
    embeddings = house.embeddings.read_many(digest, keys) if keys else np.zeros((0, model.encoder.dim), np.float32)
    return JudgedLabels(
        model, examples.ontology, np.array(rows, np.int64), embeddings, examples.media, tasks, len(later)
    )
