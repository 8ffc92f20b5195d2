"""A file on its way through the bundle: opened, asked, embedded, scored."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from ..contract import Ids, Scores
from ..learning.questions import Key
from .given_file import GivenFile, OpenFile
from .question import Question


@dataclass
class Work:
    """waiting: its pictures that are not scored yet; read: there are no more to come. error: why there are not more."""

    file: GivenFile
    opened: Future[OpenFile]
    question: Question | None = None
    waiting: int = 0
    read: bool = False
    error: Exception | None = None
    numbers: list[Ids] = field(default_factory=list)
    scores: list[dict[Key, Scores]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.read and not self.waiting

    def take(self, numbers: Ids, scores: dict[Key, Scores]) -> None:
        """Scores (n, k) by question, of its frames int64 (n,)."""
        self.numbers.append(numbers)
        self.scores.append(scores)
        self.waiting -= len(numbers)

    def scored(self) -> tuple[Ids, dict[Key, Scores]]:
        """Everything that it took, in one; at least one frame of it was scored."""
        if len(self.numbers) == 1:
            return self.numbers[0], self.scores[0]
        return np.concatenate(self.numbers), {
            key: np.concatenate([scores[key] for scores in self.scores]) for key in self.scores[0]
        }
