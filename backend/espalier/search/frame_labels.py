"""Labels by frame, as arrays: which options hold on which frames, for all of a project at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from ..store.frame_ids import FRAME_BITS

Option = tuple[str, ...]
"""A classification, and below it a path."""


@dataclass(frozen=True)
class LabelRow:
    """What one task says of the frames with the ids [start, stop), which are of one media."""

    task_id: int
    start: int
    stop: int
    option: Option
    confidence: float = 1.0


class FrameLabels:
    """Of many tasks; those of one are replaced together.

    spans int64 (n, 3): task, start, stop. options int64 (n,): places in `names`. confidences float32 (n,). Rows are
    ordered by start, so those of one media stand beside each other.
    """

    def __init__(self, rows: Iterable[LabelRow] = ()) -> None:
        self.names: list[Option] = []
        self._numbers: dict[Option, int] = {}
        self.spans: Ids = np.zeros((0, 3), np.int64)
        self.options: Ids = np.zeros(0, np.int64)
        self.confidences: NDArray[np.float32] = np.zeros(0, np.float32)
        self.replace((), rows)

    def __len__(self) -> int:
        return len(self.options)

    def tasks(self) -> int:
        """How many say something."""
        return len(np.unique(self.spans[:, 0]))

    def replace(self, task_ids: Iterable[int], rows: Iterable[LabelRow]) -> None:
        """Forgets what these tasks said, and learns the rows."""
        new = list(rows)
        gone = np.array(sorted(task_ids), np.int64)
        kept = ~np.isin(self.spans[:, 0], gone)
        added = np.array([(row.task_id, row.start, row.stop) for row in new], np.int64).reshape(-1, 3)
        spans: Ids = np.concatenate([self.spans[kept], added])
        options: Ids = np.concatenate(
            [self.options[kept], np.array([self._number(row.option) for row in new], np.int64)]
        )
        confidences = np.array([row.confidence for row in new], np.float32)
        confidences = np.concatenate([self.confidences[kept], confidences])
        order = np.argsort(spans[:, 1], kind="stable")
        self.spans, self.options, self.confidences = spans[order], options[order], confidences[order]

    def holds(
        self,
        ids: Ids,
        option: Option | None = None,
        *,
        least: float | None = None,
        most: float | None = None,
    ) -> NDArray[np.bool_]:
        """Of each of the ids, ascending: whether the option holds, or one below it, with a confidence in the bounds.

        None is any option.
        """
        wanted = np.ones(len(self), np.bool_)
        if option is not None:
            below = [number for number, name in enumerate(self.names) if name[: len(option)] == option]
            wanted &= np.isin(self.options, below)
        # Bounds are given in decimals, and confidences kept in few bits: equal ones must compare as equal.
        if least is not None:
            wanted &= self.confidences >= np.float32(least)
        if most is not None:
            wanted &= self.confidences <= np.float32(most)
        edges = np.zeros(len(ids) + 1, np.int64)
        np.add.at(edges, np.searchsorted(ids, self.spans[wanted, 1]), 1)
        np.add.at(edges, np.searchsorted(ids, self.spans[wanted, 2]), -1)
        within: NDArray[np.bool_] = np.cumsum(edges[:-1]) > 0
        return within

    def of(self, id: int) -> list[tuple[Option, float]]:
        """What is said of one frame, each once, with the highest confidence."""
        media = id >> FRAME_BITS
        first, stop = np.searchsorted(self.spans[:, 1], [media << FRAME_BITS, (media + 1) << FRAME_BITS])
        spans = self.spans[first:stop]
        rows = first + np.flatnonzero((spans[:, 1] <= id) & (id < spans[:, 2]))
        said: dict[Option, float] = {}
        for row in rows.tolist():
            name, confidence = self.names[int(self.options[row])], float(self.confidences[row])
            said[name] = max(said.get(name, 0.0), confidence)
        return sorted(said.items())

    def _number(self, option: Option) -> int:
        if option not in self._numbers:
            self._numbers[option] = len(self.names)
            self.names.append(option)
        return self._numbers[option]
