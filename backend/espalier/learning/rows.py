"""Rows: the frames that a model was trained and judged on, and the part that each of them played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from .parts import PARTS, Part
from .questions import Question


@dataclass(frozen=True)
class Rows:
    """media str (n,) and frames int64 (n,); everything else that is known of a row stands at its number.

    groups int64 (n,): rows of one media, near-duplicates and what a person said belongs together share one, and no
    group is in two parts or two folds (but see `folds.deal`). parts int8 (n,): index into PARTS. folds int64 (n,): the
    fold of the cross-check over training and validation rows, where the validation rows are one of their own; -1 for
    the test rows, which nothing is fitted or chosen on before they are judged.
    """

    media: NDArray[np.str_]
    frames: Ids
    groups: Ids
    folds: Ids
    parts: NDArray[np.int8]

    @classmethod
    def none(cls) -> Rows:
        none = np.zeros(0, np.int64)
        return cls(np.zeros(0, np.str_), none, none, none, np.zeros(0, np.int8))

    def __len__(self) -> int:
        return len(self.frames)

    def part(self, name: Part) -> NDArray[np.bool_]:
        """Which rows belong to it, bool (n,)."""
        return np.asarray(self.parts == PARTS.index(name))


class Located(NamedTuple):
    """Frames by where they are: media str (n,) and frames int64 (n,)."""

    media: NDArray[np.str_]
    frames: Ids


def union(questions: Sequence[Question]) -> tuple[Located, list[Ids]]:
    """Every frame that any question is about, once, in the order in which they come.

    And for each question the numbers of its rows among them, int64.
    """
    if not questions:
        return Located(np.zeros(0, np.str_), np.zeros(0, np.int64)), []
    media = np.concatenate([question.media for question in questions])
    frames = np.concatenate([question.frames for question in questions])
    _, numbered = np.unique(media, return_inverse=True)
    keys = numbered.astype(np.int64) * (int(frames.max(initial=0)) + 1) + frames
    _, first, where = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    ends = np.cumsum([len(question) for question in questions])
    return Located(media[first[order]], frames[first[order]]), np.split(rank[where], ends[:-1])
