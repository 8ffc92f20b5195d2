"""From tasks to predictions: open, embed what is missing, score, decide, gate, and write as Label Studio's regions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology import regions, rules
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..errors import NotTrained
from ..labelstudio.wire import inputs_digest
from ..learning.decide import Decision, decide, overall_score
from ..learning.model import Model
from ..media.media import Media
from ..store.rows import ModelVersion, Prediction, Project
from .embedding import embed
from .house import House
from .opening import OpenTask, open_tasks
from .parameters import RunParameters
from .progress import Progress

TASKS_AT_ONCE = 64
_SAMPLES_OF_A_LONG_VIDEO = 3000


@dataclass(frozen=True)
class Predicted:
    """What a model says about one task: the row to keep, and what people want to know beside it."""

    row: Prediction
    answers: tuple[Answer, ...] = ()
    frames: int = 0
    warnings: tuple[str, ...] = ()


class Predictor:
    """Predicts tasks of one project with one model version and one set of parameters."""

    def __init__(
        self,
        house: House,
        project: Project,
        version: ModelVersion,
        parameters: RunParameters,
        *,
        name: str | None = None,
    ) -> None:
        self.house, self.project, self.parameters = house, project, parameters
        self.name = name or version.name
        """The version name that the predictions carry: the model version's, or a run's own."""
        self.model: Model = house.model(version)
        self.encoder = house.encoder(parameters.device)
        if self.model.encoder.digest != self.encoder.spec.digest:
            raise NotTrained(
                f"model version {version.name} was trained on embeddings of {self.model.encoder.name}, and this worker "
                f"has {self.encoder.spec.name}: train again, or set ESPALIER_ENCODER back"
            )
        self.fetcher = house.fetcher(project)

    def predict(self, tasks: Sequence[Mapping[str, Any]], progress: Progress) -> Iterator[Predicted]:
        """One Predicted per task, in order. tasks are Label Studio's objects with their annotations."""
        for start in range(0, len(tasks), TASKS_AT_ONCE):
            yield from self._predict_some(tasks[start : start + TASKS_AT_ONCE], progress)

    def _predict_some(self, tasks: Sequence[Mapping[str, Any]], progress: Progress) -> Iterator[Predicted]:
        ontology = self.house.ontology(self.project, (task["data"] for task in tasks))
        opened = open_tasks([(task["id"], task["data"]) for task in tasks], ontology, self.fetcher)
        wanted = {(one.task_id, name): self._frames(media) for one in opened for name, media in one.media.items()}
        report = embed(
            [(one.media[name], wanted[one.task_id, name]) for one in opened for name in one.media],
            self.encoder,
            self.house.embeddings,
            progress=progress,
        )
        lost: dict[str, list[str]] = {}
        for media, message in report.failures:
            lost.setdefault(media.digest, []).append(message)
        for task, one in zip(tasks, opened, strict=True):
            failures = [*one.failures, *(text for media in one.media.values() for text in lost.get(media.digest, ()))]
            yield self._answer(ontology, task, one, wanted, failures)

    def _answer(
        self,
        ontology: Ontology,
        task: Mapping[str, Any],
        opened: OpenTask,
        wanted: Mapping[tuple[int, str], Frames],
        failures: Sequence[str],
    ) -> Predicted:
        if any(classification.dynamic_field for classification in ontology):
            ontology = self.house.ontology(self.project, [task["data"]])
        answers: list[Answer] = []
        scored = 0
        best: list[float] = []
        for name, media in opened.media.items():
            numbers, scores = self._scores(media, wanted[opened.task_id, name])
            if not len(numbers):
                continue
            scored += len(numbers)
            of_media = Ontology(
                media=tuple(tag for tag in ontology.media if tag.name == name),
                classifications=tuple(self._asked(ontology, name)),
            )
            decision = self._decision(wanted[opened.task_id, name], media)
            answers += decide(
                of_media, self.model, scores, numbers, length=media.length, parameters=decision, source=self.name
            )
            best.append(overall_score(of_media, scores, ()))
        people = [
            answer
            for annotation in task.get("annotations") or ()
            if not annotation.get("was_cancelled")
            for answer in regions.read(
                ontology, annotation.get("result") or [], timelines=opened.timelines, lengths=opened.lengths
            ).answers
        ]
        kept = rules.enforce(ontology, answers, people=people, parents=self.parameters.parents).answers
        result = regions.write(ontology, kept, timelines=opened.timelines, lengths=opened.lengths, salt=str(task["id"]))
        own = [answer.confidence for answer in kept if answer.source == self.name]
        score = sum(own) / len(own) if own else max(best, default=0.0)
        row = Prediction(
            project_key=self.project.key,
            task_id=opened.task_id,
            version=self.name,
            inputs=inputs_digest(task),
            result=result,
            score=round(min(1.0, max(0.0, score)), 6) if math.isfinite(score) else 0.0,
            message="; ".join(failures),
        )
        warnings = tuple(warning for media in opened.media.values() for warning in media.warnings)
        return Predicted(row, tuple(kept), scored, warnings)

    def _asked(self, ontology: Ontology, media: str) -> Iterator[Any]:
        chosen = self.parameters.classifications
        for classification in ontology:
            if classification.media == media and (chosen is None or classification.name in chosen):
                yield classification

    def _scores(self, media: Media, frames: Frames) -> tuple[NDArray[Any], dict[Any, NDArray[Any]]]:
        """Frame numbers (n,) and scores by question, each (n, k); read in blocks, so that length costs no memory."""
        numbers: list[NDArray[Any]] = []
        parts: dict[Any, list[NDArray[Any]]] = {}
        for block_numbers, block in self._blocks(media, frames):
            numbers.append(block_numbers)
            for key, scores in self.model.scores(block).items():
                parts.setdefault(key, []).append(scores)
        if not numbers:
            return np.zeros(0, np.int64), {}
        return np.concatenate(numbers), {key: np.concatenate(part) for key, part in parts.items()}

    def _blocks(self, media: Media, frames: Frames) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        digest = self.encoder.spec.digest
        if media.kind == "video":
            yield from self.house.embeddings.blocks(digest, media.digest, frames)
            return
        for frame in frames:
            item, number = media.key(frame)
            _, embeddings = self.house.embeddings.read(digest, item, Frames.at([number]))
            if len(embeddings):
                yield np.array([frame], np.int64), embeddings

    def _frames(self, media: Media) -> Frames:
        """The frames to look at: the range that was asked for, at its stride."""
        first, last = self.parameters.first, self.parameters.last
        if media.kind == "image":
            return Frames.of((0, 1))
        if media.timeline is None:
            return Frames.of((min(first - 1, media.length), min(last or media.length, media.length)))
        if first > media.timeline.length:
            return Frames()
        within = media.timeline.from_numbers(first, min(last or media.timeline.length, media.timeline.length))
        return within.every(self._stride(media, within))

    def _stride(self, media: Media, within: Frames) -> int:
        if self.parameters.stride or media.kind != "video":
            return self.parameters.stride or 1
        if not self.house.embeddings.missing(self.encoder.spec.digest, media.digest, within):
            return 1
        return max(1, math.ceil(len(within) / _SAMPLES_OF_A_LONG_VIDEO))

    def _decision(self, frames: Frames, media: Media) -> Decision:
        starts = [start for start, _ in frames.ranges[:2]]
        stride = starts[1] - starts[0] if len(starts) > 1 else 1
        return Decision(cutoff=self.parameters.confidence, cutoffs=dict(self.parameters.confidences), stride=stride)
