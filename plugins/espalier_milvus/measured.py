"""How well an approximate search does on the project's own vectors, and how hard it must look for that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from espalier.contract import Scores

from .kinds import Kind

NEAREST = 20
QUERIES = 64
_FILE = "milvus_recall.json"
_SAME = 1e-5
"""Rows that lie equally far are as good as each other."""
_GROWN = 0.2


@dataclass(frozen=True)
class Measured:
    """recall: of the 20 nearest other vectors, the share found with this effort, when there were so many vectors."""

    kind: str
    effort: int
    recall: float
    vectors: int

    def holds(self, kind: Kind, vectors: int) -> bool:
        """Whether it still says something: vectors come and go, and recall changes slowly with them."""
        return self.kind == kind.name and abs(vectors - self.vectors) <= _GROWN * self.vectors

    def write(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        new = directory / f"{_FILE}.new"
        new.write_text(json.dumps(asdict(self)))
        new.replace(directory / _FILE)

    @classmethod
    def read(cls, directory: Path) -> Measured | None:
        """None where nothing was measured on this machine, or the file is not whole: it is measured again then."""
        try:
            return cls(**json.loads((directory / _FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @staticmethod
    def forget(directory: Path) -> None:
        (directory / _FILE).unlink(missing_ok=True)


def measure(kind: Kind, vectors: int, exact: Scores, found: Callable[[int], Scores], wanted: float) -> Measured:
    """The least effort that finds enough, or else the greatest.

    exact: scores float32 (m, 21) of exact search, best first; found gives those of the search with an effort. The first
    of each row is the query itself, which says nothing.
    """
    recall, effort = 0.0, 0
    for effort in kind.efforts:
        scores = found(effort)
        # A hit is right if it lies as near as the last that exact search gives; empty places (-1) never do.
        recall = float((scores[:, 1:] >= exact[:, -1:] - _SAME).mean())
        if recall >= wanted:
            break
    return Measured(kind.name, effort, recall, vectors)
