"""What a project's tasks show, as arrays: from a media's number to the tasks that show it, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from ..store.catalogue import CataloguedMedia, Showing
from ..store.records import Records


class ShownMedia:
    """The catalogue of one project in memory; `refresh` reads what is new in it.

    tasks, items, media: int64 (n,), one row per showing, by media, then task; tags: by row, the number of a tag's name.
    """

    def __init__(self, records: Records, project_key: str) -> None:
        self._records, self._key = records, project_key
        self.position = 0
        """How far the catalogue was read."""
        self._changed_at: dict[int, int] = {}
        self._mirrored: int | None = None
        self.all_media: list[CataloguedMedia] = []
        """By number, less one; also those that no task shows any more."""
        self.number_of: dict[str, int] = {}
        self.tag_names: list[str] = []
        self.tasks: Ids = np.zeros(0, np.int64)
        self.items: Ids = self.tasks
        self.media: Ids = self.tasks
        self.tags: Ids = self.tasks
        self._by_task: Ids = self.tasks
        self._tasks_in_order: Ids = self.tasks
        self.lengths: Ids = np.zeros(0, np.int64)
        self.durations_s: NDArray[np.float64] = np.zeros(0, np.float64)
        self.kinds: NDArray[np.str_] = np.zeros(0, np.str_)
        self.is_shown: NDArray[np.bool_] = np.zeros(1, np.bool_)
        """By number; there is no media 0."""

    def refresh(self) -> set[int]:
        """The numbers of media that are shown now and were not, or the other way round."""
        self._drop_gone()
        rows = self._records.showings(self._key, since=self.position)
        if not rows:
            return set()
        self._learn(self._records.catalogued(self._key, after=len(self.all_media)))
        self._replace(rows)
        self._changed_at.update((row.task_id, row.position) for row in rows)
        self.position = max(row.position for row in rows)
        before = np.zeros(len(self.all_media) + 1, np.bool_)
        before[: len(self.is_shown)] = self.is_shown
        self.is_shown = np.zeros_like(before)
        self.is_shown[self.media] = True
        return set(np.flatnonzero(before ^ self.is_shown).tolist())

    def changed_since(self, position: int) -> set[int]:
        """Tasks that show something else since then."""
        if position >= self.position:
            return set()
        return {task_id for task_id, at in self._changed_at.items() if at > position}

    def of_number(self, number: int) -> CataloguedMedia:
        return self.all_media[number - 1]

    def rows_of(self, number: int) -> range:
        """Where in the arrays its showings are."""
        start, stop = np.searchsorted(self.media, [number, number + 1])
        return range(int(start), int(stop))

    def of_task(self, task_id: int) -> Ids:
        """The rows of one task, by tag and item."""
        start, stop = np.searchsorted(self._tasks_in_order, [task_id, task_id + 1])
        return self._by_task[start:stop]

    def _drop_gone(self) -> None:
        """Tasks that were deleted show nothing: all are looked at once, and then those that events told of."""
        mirrored = self._records.position(self._key)
        if self._mirrored is None:
            self._records.drop_shown(self._key)
        elif mirrored != self._mirrored:
            self._records.drop_shown(self._key, self._records.tasks_changed_since(self._key, self._mirrored))
        self._mirrored = mirrored

    def _learn(self, media: Sequence[CataloguedMedia]) -> None:
        self.all_media += media
        self.number_of.update((one.digest, one.number) for one in media)
        self.lengths = np.concatenate([self.lengths, np.array([one.length for one in media], np.int64)])
        self.durations_s = np.concatenate([self.durations_s, np.array([one.duration_s for one in media], np.float64)])
        self.kinds = np.array([*self.kinds.tolist(), *(one.kind for one in media)], np.str_)

    def _replace(self, rows: Sequence[Showing]) -> None:
        kept = ~np.isin(self.tasks, np.array(sorted({row.task_id for row in rows}), np.int64))
        for name in dict.fromkeys(row.tag for row in rows if row.media >= 0):
            if name not in self.tag_names:
                self.tag_names.append(name)
        tag_numbers = {name: number for number, name in enumerate(self.tag_names)}
        new = np.array(
            [(row.task_id, tag_numbers[row.tag], row.item, row.media) for row in rows if row.media >= 0], np.int64
        ).reshape(-1, 4)
        old = np.stack([self.tasks, self.tags, self.items, self.media], axis=1)[kept]
        every = np.concatenate([old, new])
        every = every[np.lexsort((every[:, 2], every[:, 1], every[:, 0], every[:, 3]))]
        self.tasks, self.tags, self.items, self.media = (np.ascontiguousarray(every[:, column]) for column in range(4))
        self._by_task = np.lexsort((self.items, self.tags, self.tasks))
        self._tasks_in_order = self.tasks[self._by_task]
