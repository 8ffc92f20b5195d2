"""From results to labels by frame: what people and versions said of tasks whose media are catalogued.

No media is opened for it: the catalogue knows their lengths, and of videos the cache knows when each frame is shown.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar

from espalier_ontology import regions
from espalier_ontology.answers import Answer
from espalier_ontology.timeline import Timeline, frame_rate_of
from espalier_ontology.tree import MediaTag

from ..jobs.house import House
from ..jobs.label_mappings import held
from ..jobs.opening import OpenTask
from ..jobs.reading import Readings
from ..media.media import known_times
from ..store.catalogue import CataloguedMedia
from ..store.frame_ids import FRAME_BITS
from ..store.rows import Annotation, Prediction, Project
from .frame_labels import LabelRow
from .shown_media import ShownMedia

Said = TypeVar("Said", Annotation, Prediction)


class LabelReading:
    """Reads by the ontology and the label mappings as they were when it was made; `form` tells whether they changed."""

    def __init__(self, house: House, project: Project, shown: ShownMedia) -> None:
        self._house, self._project, self._shown = house, project, shown
        self.form = form_of(house, project)
        self.ontology = house.ontology(project)
        self.lists_options = any(classification.dynamic_field for classification in self.ontology)
        """Some options are named in the tasks alone, so that a task may bring new ones."""
        if self.lists_options:
            self.ontology = house.ontology(project, (task.data for task in house.records.tasks(project.key)))
        self._readings = Readings(self.ontology, held(house, project))
        self._templates: dict[tuple[frozenset[str], str], list[tuple[Answer, int]]] = {}

    def of_people(self, task_ids: Collection[int] | None) -> Iterator[LabelRow]:
        """Every annotation that was not skipped; of these tasks, or of all."""
        found = self._house.records.annotations(self._project.key, task_ids)
        said = [one for one in found if not one.was_cancelled]
        for one, task in self._with_tasks(said):
            if not self._readings.mappings and _is_of_images(task):
                answers = [answer for answer, _ in self._template(one.result, task)]
            else:
                answers = list(self._readings.read(one.result, task, one.updated_at).answers)
            yield from self._placed(one.task_id, [(answer, 1.0) for answer in answers])

    def of_version(self, predictions: Iterable[Prediction]) -> Iterator[LabelRow]:
        """With the confidence of each."""
        for one, task in self._with_tasks(list(predictions)):
            if _is_of_images(task):
                scores = [1.0 if item.get("score") is None else float(item["score"]) for item in one.result]
                answers = [(answer, scores[place]) for answer, place in self._template(one.result, task)]
            else:
                read = regions.read(
                    self.ontology, one.result, timelines=task.timelines, lengths=task.lengths, source=one.version
                )
                answers = [(answer, answer.confidence) for answer in read.answers]
            yield from self._placed(one.task_id, answers)

    def _template(self, result: Sequence[Mapping[str, Any]], task: OpenTask) -> list[tuple[Answer, int]]:
        """The answers, each with the place in the result that its score stands at.

        Thousands of pictures are said to be one of a few things: what differs are ids, which mean nothing where there
        is one frame, and scores.
        """
        said = [{name: item[name] for name in item if name not in ("id", "score")} for item in result]
        form = frozenset(task.lengths), json.dumps(said, sort_keys=True)
        if form not in self._templates:
            marked = [{**item, "score": (place + 1) / (len(said) + 1)} for place, item in enumerate(said)]
            read = regions.read(self.ontology, marked, lengths=task.lengths, source="template")
            self._templates[form] = [
                (answer, round(answer.confidence * (len(said) + 1)) - 1) for answer in read.answers
            ]
        return self._templates[form]

    def _placed(self, task_id: int, answers: Iterable[tuple[Answer, float]]) -> Iterator[LabelRow]:
        """With the confidence of each."""
        shown = self._shown
        by_tag: dict[str, list[int]] = {}
        for row in shown.of_task(task_id).tolist():
            by_tag.setdefault(shown.tag_names[int(shown.tags[row])], []).append(row)
        for answer, confidence in answers:
            option = (answer.classification, *answer.option)
            for row in by_tag.get(self.ontology.classification(answer.classification).media, ()):
                number = int(shown.media[row])
                first = number << FRAME_BITS
                if shown.of_number(number).kind == "video":
                    for start, stop in answer.frames.ranges:
                        yield LabelRow(task_id, first + start, first + stop, option, confidence)
                elif int(shown.items[row]) in answer.frames:
                    yield LabelRow(task_id, first, first + 1, option, confidence)

    def _with_tasks(self, said: Sequence[Said]) -> Iterator[tuple[Said, OpenTask]]:
        """Each with its task, where that shows something that is catalogued.

        One task at a time: when each frame of thousands of videos is shown is more than is kept in memory.
        """
        videos = [tag for tag in self.ontology.media if tag.kind == "video"]
        ids = {one.task_id for one in said}
        data = {task.id: task.data for task in self._house.records.tasks(self._project.key, ids)} if videos else {}
        for task_id, of_task in groupby(said, key=lambda one: one.task_id):
            task = self._task(task_id, data.get(task_id, {}), videos)
            if task is not None:
                yield from ((one, task) for one in of_task)

    def _task(self, task_id: int, data: Mapping[str, Any], videos: Iterable[MediaTag]) -> OpenTask | None:
        shown = self._shown
        rows = shown.of_task(task_id).tolist()
        if not rows:
            return None
        lengths: dict[str, int] = {}
        media: dict[str, CataloguedMedia] = {}
        for row in rows:
            tag = shown.tag_names[int(shown.tags[row])]
            media[tag] = shown.of_number(int(shown.media[row]))
            is_video = media[tag].kind == "video"
            lengths[tag] = media[tag].length if is_video else max(lengths.get(tag, 0), int(shown.items[row]) + 1)
        timelines = {tag.name: self._timeline(tag, media[tag.name], data) for tag in videos if tag.name in media}
        return _Known(task_id, {}, known_lengths=lengths, known_timelines=timelines)

    def _timeline(self, tag: MediaTag, media: CataloguedMedia, data: Mapping[str, Any]) -> Timeline:
        """Where the file is cached no more, its frames are taken to follow each other at an even pace."""
        pace_s = media.duration_s / max(media.length, 1)
        times_s = known_times(self._house.cache, media.digest)
        times_s = times_s or tuple(frame * pace_s for frame in range(media.length))
        return Timeline(times_s, media.duration_s, frame_rate_of(tag.frame_rate, data))


@dataclass(frozen=True)
class _Known(OpenTask):
    """A task whose media are known, and not open."""

    known_lengths: Mapping[str, int] = field(default_factory=dict)
    known_timelines: Mapping[str, Timeline] = field(default_factory=dict)

    @property
    def lengths(self) -> dict[str, int]:
        return dict(self.known_lengths)

    @property
    def timelines(self) -> dict[str, Timeline]:
        return dict(self.known_timelines)


def _is_of_images(task: OpenTask) -> bool:
    """One frame each."""
    return not task.timelines and set(task.lengths.values()) == {1}


def form_of(house: House, project: Project) -> object:
    """Equal while results mean the same."""
    return project.label_config, held(house, project)
