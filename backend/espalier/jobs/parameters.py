"""What a person chooses for one automated labeling run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from ..learning.decision import Decision

EXISTING = ("add", "skip", "replace")
PARENTS = ("run", "people")
FILTERS = ("all", "unlabeled", "labeled", "unpredicted")


@dataclass(frozen=True)
class RunParameters:
    """Which tasks, frames and questions a run answers, and how sure it must be.

    first, last: Label Studio's 1-based inclusive frame (or item) numbers; last None means to the end.
    stride: every n-th frame is looked at and stands for those up to the next; 0 chooses by length.
    confidence, confidences: cutoffs in [0, 1]; the latter by classification name or `classification/option`;
    where none is given the model version's own cutoffs hold.
    """

    tasks: tuple[int, ...] | None = None
    filter: str = "all"
    """all, unlabeled, labeled, unpredicted, view=<Data Manager tab id>, or <data field>=<pattern with * and ?>."""
    version: str | None = None
    classifications: tuple[str, ...] | None = None
    first: int = 1
    last: int | None = None
    stride: int = 0
    confidence: float | None = None
    confidences: Mapping[str, float] = field(default_factory=dict)
    device: str | None = None
    parents: Literal["run", "people"] = "run"
    existing: str = "add"
    """What to do about predictions of earlier runs: add, skip tasks that have some, or replace (once this is done)."""

    def __post_init__(self) -> None:
        if self.first < 1 or (self.last is not None and self.last < self.first):
            raise BadRequest(f"the range must be 1 <= first <= last, got first={self.first} last={self.last}")
        if self.stride < 0:
            raise BadRequest(f"stride must be 1 or more, or 0 to have it chosen, got {self.stride}")
        named = [("confidence", self.confidence), *self.confidences.items()]
        for name, value in named:
            if value is not None and not 0 <= value <= 1:
                raise BadRequest(f"the confidence for {name!r} must be within [0, 1], got {value}")
        if self.parents not in PARENTS:
            raise BadRequest(f"parents must be one of {', '.join(PARENTS)}, got {self.parents!r}")
        if self.existing not in EXISTING:
            raise BadRequest(f"existing must be one of {', '.join(EXISTING)}, got {self.existing!r}")
        if self.filter not in FILTERS and "=" not in self.filter:
            raise BadRequest(
                f"filter must be one of {', '.join(FILTERS)}, view=<tab id> or <data field>=<pattern>, "
                f"got {self.filter!r}"
            )

    def decision(self, ontology: Ontology, within: Frames, stride: int) -> Decision:
        """The cutoffs of this run for one media, of which the frames `within` were looked at, every stride-th."""
        cutoffs: dict[str, float | dict[str, float]] = {}
        for name, value in self.confidences.items():
            classification, slash, option = name.partition("/")
            if name in ontology or not slash:
                cutoffs[name] = value
            else:
                by_option = cutoffs.setdefault(classification, {})
                if isinstance(by_option, dict):
                    by_option[option] = value
        return Decision(
            cutoff=self.confidence,
            cutoffs=cutoffs,
            stride=stride,
            within=within,
            only=frozenset(self.classifications) if self.classifications is not None else None,
        )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RunParameters:
        """From `to_json`, or from a person's request. Raises BadRequest naming what is unknown or out of range."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        unknown = set(value) - known
        if unknown:
            raise BadRequest(f"unknown run parameters {sorted(unknown)}; known are {sorted(known)}")
        lists = {name: tuple(value[name]) for name in ("tasks", "classifications") if value.get(name) is not None}
        return cls(**{**value, **lists})
