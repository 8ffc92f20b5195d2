"""Opening the media of many tasks at once; one that cannot be opened never stops the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from espalier_ontology.timeline import Timeline
from espalier_ontology.tree import MediaTag, Ontology

from ..errors import EspalierError
from ..media.fetch import Fetcher
from ..media.media import Media, open_media

_OPENERS = 8  # opening waits for Label Studio or the disk, not for the processor
_TURN = 16  # tasks that a thread opens at a time: handing over each by itself costs more than a file that is known


@dataclass(frozen=True)
class OpenTask:
    """A task with the media that its ontology asks about."""

    task_id: int
    media: Mapping[str, Media]
    """By media tag name."""
    failures: tuple[str, ...] = field(default=())

    @property
    def timelines(self) -> dict[str, Timeline]:
        return {name: media.timeline for name, media in self.media.items() if media.timeline is not None}

    @property
    def lengths(self) -> dict[str, int]:
        return {name: media.length for name, media in self.media.items()}


def open_tasks(
    tasks: Sequence[tuple[int, Mapping[str, object]]], ontology: Ontology, fetcher: Fetcher
) -> list[OpenTask]:
    """Each (task id, task data) with its media, in the order given. Failures are sentences that name the task."""
    asked = {classification.media for classification in ontology}
    tags = [tag for tag in ontology.media if tag.name in asked]

    def open_some(some: Sequence[tuple[int, Mapping[str, object]]]) -> list[OpenTask]:
        return [_open(task_id, data, tags, fetcher) for task_id, data in some]

    if len(tasks) < 2:
        return open_some(tasks)
    turn = min(_TURN, math.ceil(len(tasks) / _OPENERS))
    turns = [tasks[start : start + turn] for start in range(0, len(tasks), turn)]
    with ThreadPoolExecutor(_OPENERS, thread_name_prefix="open-media") as pool:
        return [one for some in pool.map(open_some, turns) for one in some]


def _open(task_id: int, data: Mapping[str, object], tags: Sequence[MediaTag], fetcher: Fetcher) -> OpenTask:
    media: dict[str, Media] = {}
    failures: list[str] = []
    for tag in tags:
        try:
            media[tag.name] = open_media(tag, data, fetcher, task_id=task_id)
        except EspalierError as error:
            failures.append(str(error))
    return OpenTask(task_id, media, tuple(failures))
