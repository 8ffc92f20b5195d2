"""A list: tasks that somebody should look at, in an order, with what Label Studio can keep of the reasons."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..store.rows import RunKind

Json = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One task of a list. score in [0, 1]: the lowest goes first, in Label Studio's sorting and sampling alike."""

    task_id: int
    score: float
    reason: str = ""
    """For people."""
    result: list[Json] = field(default_factory=list)
    """What the model would answer, as regions; may be empty."""
    cluster: int | None = None
    """Tasks of one cluster are alike; uncertainty sampling prefers those of which the fewest were labeled."""
    neighbors: tuple[int, ...] = ()
    """Task ids, the most similar first."""
    mislabeling: float = 0.0
    """In [0, 1]: how likely the annotation is wrong."""
    doubts: tuple[Json, ...] = ()
    """Of a label error what is given and what is predicted: classification, given and predicted (paths), the
    confidence of each by a model that had not seen the answer, and first and last frame where it is not all."""

    def row(self, version: str) -> Json:
        """As `Predictions.put_in_full` takes it."""
        return {
            "task": self.task_id,
            "result": self.result,
            "score": round(self.score, 6),
            "model_version": version,
            "cluster": self.cluster,
            "neighbors": list(self.neighbors),
            "mislabeling": round(self.mislabeling, 6),
        }


@dataclass(frozen=True)
class Listing:
    """entries: the most urgent first."""

    kind: RunKind
    entries: tuple[Entry, ...] = ()
    note: str = ""
    """What it was drawn from, in words."""

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Listing:
        entries = tuple(
            Entry(**{**entry, "neighbors": tuple(entry["neighbors"]), "doubts": tuple(entry.get("doubts", ()))})
            for entry in value["entries"]
        )
        return cls(value["kind"], entries, value["note"])

    def keep(self, path: Path) -> None:
        """Whole or not at all: a run that is taken up again goes by it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        draft.write_text(json.dumps(self.to_json()))
        draft.replace(path)

    @classmethod
    def kept(cls, path: Path) -> Listing | None:
        return cls.from_json(json.loads(path.read_text())) if path.exists() else None
