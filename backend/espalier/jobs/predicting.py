"""From tasks to predictions: open, embed what is missing, score, decide, gate, and write as Label Studio's regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from espalier_ontology import regions, rules
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..contract import Embeddings, Ids, Scores
from ..errors import NotTrained
from ..judging.own_cutoffs import OwnCutoffs
from ..learning.decide import decide, overall_score
from ..learning.questions import Key
from ..media.media import Media
from ..store.embeddings import NotEmbedded
from ..store.rows import ModelVersion, Prediction, Project
from .cataloguing import note
from .embedding import embed
from .freshness import Freshness
from .house import House
from .label_mappings import held
from .live_models import live_model
from .living import was_called
from .opening import OpenTask, open_tasks
from .own_encoder import OwnEncoder
from .parameters import RunParameters
from .progress import Progress
from .reading import Readings
from .span import Span, span_of
from .task_answers import TaskAnswers, Told

TASKS_AT_ONCE = 64


@dataclass(frozen=True)
class Predicted:
    """What a model says about one task: the row to keep, and what people want to know beside it."""

    row: Prediction
    answers: tuple[Answer, ...] = ()
    frames: int = 0
    warnings: tuple[str, ...] = ()
    looked_at: Mapping[str, Frames] = field(default_factory=dict)
    """By media tag, the frames that were wanted; `frames` counts those that could be read."""


class Predictor:
    """Predicts tasks of one project with one model version and one set of parameters.

    name: the version that the predictions carry, where it is not the model version's own (a run has one).
    """

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
        self.model = house.model(Path(version.directory))
        self.cutoffs = OwnCutoffs.from_json(version.cutoffs).by_option()
        self.fresh = Freshness.of(house.records, project, version.name)
        self.mappings = held(house, project)
        self.trained_at = version.created_at
        ontology = house.ontology(project)
        own = OwnEncoder.of(version)
        self.encoder = house.encoder(ontology, device=parameters.device, own=own)
        if self.model.encoder.digest != self.encoder.spec.digest:
            house.forget_encoders()
            self.encoder = house.encoder(ontology, device=parameters.device, own=own)
        if self.model.encoder.digest != self.encoder.spec.digest:
            raise NotTrained(
                f"model version {version.name} was trained on embeddings of {self.model.encoder.name}, and this worker "
                f"has {self.encoder.spec.name}: train again, or set ESPALIER_ENCODER back"
            )
        self.fetcher = house.fetcher(project)
        self.live = live_model(house, version)
        self.told = TaskAnswers.of(house, project, self.model, parameters.classifications)
        self._catch_up(Progress())

    def predict(self, tasks: Sequence[Mapping[str, Any]], progress: Progress) -> Iterator[Predicted]:
        """One Predicted per task, in order. tasks are Label Studio's objects with their annotations."""
        for start in range(0, len(tasks), TASKS_AT_ONCE):
            yield from self._predict_some(tasks[start : start + TASKS_AT_ONCE], progress)

    def _predict_some(self, tasks: Sequence[Mapping[str, Any]], progress: Progress) -> Iterator[Predicted]:
        self._catch_up(progress)
        ontology = self.house.ontology(self.project, (task["data"] for task in tasks))
        opened = open_tasks([(task["id"], task["data"]) for task in tasks], ontology, self.fetcher)
        note(self.house, self.project, opened)
        spans = {(one.task_id, name): self._span(media) for one in opened for name, media in one.media.items()}
        report = embed(
            [(one.media[name], spans[one.task_id, name].frames) for one in opened for name in one.media],
            self.encoder,
            self.house.embeddings,
            progress=progress,
        )
        lost: dict[str, list[str]] = {}
        for media, message in report.failures:
            lost.setdefault(media.digest, []).append(message)
        is_dynamic = any(classification.dynamic_field for classification in ontology)
        readings = Readings(ontology, self.mappings)
        answered_at = self._answered_at(tasks)
        shown = [task for task, one in zip(tasks, opened, strict=True) if one.media]
        told = self.told.ask(shown) if self.told is not None else {}
        for task, one in zip(tasks, opened, strict=True):
            failures = [*one.failures, *(text for media in one.media.values() for text in lost.get(media.digest, ()))]
            if is_dynamic:
                readings = Readings(self.house.ontology(self.project, [task["data"]]), self.mappings)
            yield self._predict_one(readings, task, one, spans, failures, answered_at, told.get(task["id"], ()))

    def _predict_one(
        self,
        readings: Readings,
        task: Mapping[str, Any],
        opened: OpenTask,
        spans: Mapping[tuple[int, str], Span],
        failures: Sequence[str],
        answered_at: Mapping[int, datetime | None],
        told: Sequence[Told],
    ) -> Predicted:
        ontology, known = readings.ontology, readings.known  # the model may know options by the names they had
        people = _answers_of_people(readings, task, opened, answered_at)
        heard = [one.read(known, opened) for one in told]
        decided: list[Answer] = []
        doubts: list[float] = []
        looked_at = 0
        for name, media in opened.media.items():
            span = spans[opened.task_id, name]
            numbers, scores = self._scores(media, span.frames)
            if self.told is not None and len(numbers):
                own = [answer for answers, _ in heard for answer in answers if _shows(known, answer, name)]
                scores |= self.told.scores(self.model, told, own, numbers)
            scores = self._of_options_asked(known, scores)
            looked_at += len(numbers)
            decision = self.parameters.decision(ontology, span.within, span.stride)
            decided += decide(
                known,
                self.model,
                scores,
                numbers,
                length=media.length,
                parameters=replace(decision, version=self.cutoffs),
                source=self.name,
                people=people,
                media=name,
            )
            doubts.append(overall_score(ontology, scores, ()))
        decided = self._in_todays_words(readings, decided)
        kept = rules.enforce(ontology, decided, people=people, parents=self.parameters.parents).answers
        own = [answer for answer in kept if answer.source == self.name]
        row = Prediction(
            project_key=self.project.key,
            task_id=opened.task_id,
            version=self.name,
            inputs=self.fresh.inputs(task),
            result=regions.write(
                ontology, kept, timelines=opened.timelines, lengths=opened.lengths, salt=str(task["id"])
            ),
            score=round(overall_score(ontology, {}, own) if own else max(doubts, default=0.0), 6),
            message="; ".join([*failures, *(one.failure for one in told if one.failure)]),
        )
        warnings = tuple(warning for media in opened.media.values() for warning in media.warnings)
        warnings += tuple(f"task {opened.task_id}, as it was answered: {one}" for _, found in heard for one in found)
        wanted = {name: spans[opened.task_id, name].frames for name in opened.media}
        return Predicted(row, tuple(own), looked_at, warnings, wanted)

    def _catch_up(self, progress: Progress) -> None:
        """Where classifiers live, the model is what it is by the answers that are known now."""
        if self.live is None:
            return
        self.model = self.live.catch_up(self.project, self.mappings, self.encoder, progress)
        for (name, _), head in self.model.heads.items():
            if name in self.live.names and (own := self.cutoffs.get(name)):
                for now, before in was_called(self.mappings, name, head.options).items():
                    if before in own:
                        own.setdefault(now, own[before])

    def _in_todays_words(self, readings: Readings, decided: Sequence[Answer]) -> list[Answer]:
        """A classifier that lives speaks in today's words by itself."""
        names = self.live.names if self.live is not None else ()
        own = [answer for answer in decided if answer.classification in names]
        others = [answer for answer in decided if answer.classification not in names]
        return [*readings.in_todays_words(others, self.trained_at), *own]

    def _scores(self, media: Media, frames: Frames) -> tuple[Ids, dict[Key, Scores]]:
        """Frame numbers (n,) and scores by question, each (n, k).

        A video's embeddings are read in blocks and let go at once: its length costs a few scores a frame.
        """
        numbers: list[Ids] = []
        parts: dict[Key, list[Scores]] = {}
        for block_numbers, block in self._blocks(media, frames):
            numbers.append(block_numbers)
            for key, scores in self.model.scores(block).items():
                parts.setdefault(key, []).append(scores)
        if not numbers:
            return np.zeros(0, np.int64), {}
        return np.concatenate(numbers), {key: np.concatenate(part) for key, part in parts.items()}

    def _blocks(self, media: Media, frames: Frames) -> Iterator[tuple[Ids, Embeddings]]:
        digest = self.encoder.spec.digest
        if media.kind == "video":
            yield from self.house.embeddings.blocks(digest, media.digest, frames)
            return
        keys = {frame: media.key(frame) for frame in frames}
        try:
            embeddings = self.house.embeddings.read_many(digest, list(keys.values()))
        except NotEmbedded as error:  # they could not be read; the others can be answered
            lost = set(error.keys)
            keys = {frame: key for frame, key in keys.items() if key not in lost}
            embeddings = self.house.embeddings.read_many(digest, list(keys.values()))
        if keys:
            yield np.array(list(keys), np.int64), embeddings

    def _of_options_asked(self, ontology: Ontology, scores: dict[Key, Scores]) -> dict[Key, Scores]:
        """A task that lists its own options (`value="$field"`) is asked about these alone, whatever others score."""
        for (name, parent), given in scores.items():
            if name in ontology and ontology.classification(name).dynamic_field:
                options = self.model.heads[name, parent].options
                asked = np.array([ontology.classification(name).option(path) is not None for path in options])
                scores[name, parent] = np.where(asked, given, np.float32(0))
        return scores

    def _answered_at(self, tasks: Sequence[Mapping[str, Any]]) -> dict[int, datetime | None]:
        """By annotation; nobody asks where no option was ever called otherwise."""
        if not self.mappings:
            return {}
        ids = [task["id"] for task in tasks]
        return {one.id: one.updated_at for one in self.house.records.annotations(self.project.key, ids)}

    def _span(self, media: Media) -> Span:
        def is_embedded(frames: Frames) -> bool:
            return not self.house.embeddings.missing(self.encoder.spec.digest, media.digest, frames)

        return span_of(media, self.parameters, is_embedded)


def _shows(ontology: Ontology, answer: Answer, media: str) -> bool:
    return ontology.classification(answer.classification).media == media


def _answers_of_people(
    readings: Readings, task: Mapping[str, Any], opened: OpenTask, answered_at: Mapping[int, datetime | None]
) -> list[Answer]:
    return [
        answer
        for annotation in task.get("annotations") or ()
        if not annotation.get("was_cancelled")
        for answer in readings.read(
            annotation.get("result") or [], opened, answered_at.get(annotation.get("id", 0))
        ).answers
    ]
