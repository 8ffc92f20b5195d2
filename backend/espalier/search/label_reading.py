"""From results to labels by frame: what people and versions said of tasks whose media are catalogued.

No media is opened for it: the catalogue knows their lengths, and of videos the cache knows when each frame is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

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
from ..store.rows import Prediction, Project
from .frame_labels import LabelRow
from .shown_media import ShownMedia


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
        self._times_s: dict[str, tuple[float, ...] | None] = {}

    def of_people(self, task_ids: Collection[int] | None) -> Iterator[LabelRow]:
        """Every annotation that was not skipped; of these tasks, or of all."""
        answers: dict[int, list[Answer]] = {}
        found = self._house.records.annotations(self._project.key, task_ids)
        tasks = self._tasks(one.task_id for one in found if not one.was_cancelled)
        for one in found:
            if one.task_id in tasks and not one.was_cancelled:
                read = self._readings.read(one.result, tasks[one.task_id], one.updated_at)
                answers.setdefault(one.task_id, []).extend(read.answers)
        for task_id, said in answers.items():
            yield from self._placed(task_id, said)

    def of_version(self, predictions: Iterable[Prediction]) -> Iterator[LabelRow]:
        """With the confidence of each."""
        found = list(predictions)
        tasks = self._tasks(one.task_id for one in found)
        for one in found:
            if one.task_id in tasks:
                task = tasks[one.task_id]
                read = regions.read(
                    self.ontology, one.result, timelines=task.timelines, lengths=task.lengths, source=one.version
                )
                yield from self._placed(one.task_id, read.answers)

    def _placed(self, task_id: int, answers: Iterable[Answer]) -> Iterator[LabelRow]:
        shown = self._shown
        by_tag: dict[str, list[int]] = {}
        for row in shown.of_task(task_id).tolist():
            by_tag.setdefault(shown.tag_names[int(shown.tags[row])], []).append(row)
        for answer in answers:
            option = (answer.classification, *answer.option)
            for row in by_tag.get(self.ontology.classification(answer.classification).media, ()):
                number = int(shown.media[row])
                first = number << FRAME_BITS
                if shown.of_number(number).kind == "video":
                    for start, stop in answer.frames.ranges:
                        yield LabelRow(task_id, first + start, first + stop, option, answer.confidence)
                elif int(shown.items[row]) in answer.frames:
                    yield LabelRow(task_id, first, first + 1, option, answer.confidence)

    def _tasks(self, ids: Iterable[int]) -> dict[int, OpenTask]:
        """Those of them that show something that is catalogued."""
        wanted = set(ids)
        videos = [tag for tag in self.ontology.media if tag.kind == "video"]
        data = {task.id: task.data for task in self._house.records.tasks(self._project.key, wanted)} if videos else {}
        return {id: one for id in sorted(wanted) if (one := self._task(id, data.get(id, {}), videos)) is not None}

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
        if media.digest not in self._times_s:
            self._times_s[media.digest] = known_times(self._house.cache, media.digest)
        pace_s = media.duration_s / max(media.length, 1)
        times_s = self._times_s[media.digest] or tuple(frame * pace_s for frame in range(media.length))
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


def form_of(house: House, project: Project) -> object:
    """Equal while results mean the same."""
    return project.label_config, held(house, project)
