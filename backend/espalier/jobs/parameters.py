"""What a person chooses for one automated labeling run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology, Path

from ..errors import BadRequest
from ..learning.decision import Decision
from ..learning.training_parameters import options_named

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
    blind: float = 0.0
    """In [0, 0.5]: the share of the unlabeled tasks whose predictions are withheld, to be compared with what people
    answer later."""

    def __post_init__(self) -> None:
        _each("tasks", self.tasks, int, "a list of task ids")
        _each("classifications", self.classifications, str, "a list of names")
        for name in ("first", "stride"):
            _one(name, getattr(self, name), int, "a whole number")
        for name, kind, what in (
            ("last", int, "a whole number"),
            ("version", str, "a name"),
            ("device", str, "a name"),
        ):
            _one(name, getattr(self, name), kind, what, or_none=True)
        if self.first < 1 or (self.last is not None and self.last < self.first):
            raise BadRequest(f"the range must be 1 <= first <= last, got first={self.first} last={self.last}")
        if self.stride < 0:
            raise BadRequest(f"stride must be 1 or more, or 0 to have it chosen, got {self.stride}")
        _one("blind", self.blind, (int, float), "a share")
        if not 0 <= self.blind <= 0.5:
            raise BadRequest(f"blind must be a share within [0, 0.5], got {self.blind}")
        if not isinstance(self.confidences, Mapping):
            raise BadRequest(f"confidences must be cutoffs by name, got {self.confidences!r}")
        for name, value in [("confidence", self.confidence), *self.confidences.items()]:
            _one(f"the confidence for {name!r}", value, (int, float), "a number", or_none=name == "confidence")
            if value is not None and not 0 <= value <= 1:
                raise BadRequest(f"the confidence for {name!r} must be within [0, 1], got {value}")
        for name, choices in (("parents", PARENTS), ("existing", EXISTING)):
            if getattr(self, name) not in choices:
                raise BadRequest(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        _one("filter", self.filter, str, "a text")
        name, equals, sought = self.filter.partition("=")
        if self.filter not in FILTERS and not (name and equals):
            raise BadRequest(
                f"filter must be one of {', '.join(FILTERS)}, view=<tab id> or <data field>=<pattern>, "
                f"got {self.filter!r}"
            )
        if name == "view" and equals and not sought.isdecimal():
            raise BadRequest(f"filter view= takes the number of a Data Manager tab, got {sought!r}")

    def check(self, ontology: Ontology) -> None:
        """Raises BadRequest for a classification or an option that this ontology does not ask."""
        known = ", ".join(classification.name for classification in ontology) or "none"
        for name in self.classifications or ():
            if name not in ontology:
                raise BadRequest(f"there is no classification {name!r} to predict; there are {known}")
        for name in self.confidences:
            if name not in ontology and not options_named(ontology, name):
                raise BadRequest(
                    f"the confidence for {name!r} is for no classification, nor for `classification/option`; "
                    f"classifications are {known}"
                )

    def decision(self, ontology: Ontology, within: Frames, stride: int) -> Decision:
        """The cutoffs of this run for one media, of which the frames `within` were looked at, every stride-th.

        An option's own cutoff wins over that of its classification, in whatever order they were given.
        """
        cutoffs: dict[str, dict[Path, float]] = {}
        for name, value in self.confidences.items():
            if name in ontology:
                options = ontology.classification(name).options
                cutoffs[name] = {option.path: value for option in options} | cutoffs.get(name, {})
            for classification, path in options_named(ontology, name):
                cutoffs.setdefault(classification, {})[path] = value
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
        lists = {name: tuple(value[name]) for name in ("tasks", "classifications") if isinstance(value.get(name), list)}
        return cls(**{**value, **lists})


def _one(name: str, value: object, kind: type | tuple[type, ...], what: str, *, or_none: bool = False) -> None:
    if (value is None and or_none) or (isinstance(value, kind) and not isinstance(value, bool)):
        return
    raise BadRequest(f"{name} must be {what}, got {value!r}")


def _each(name: str, values: object, kind: type, what: str) -> None:
    if values is None:
        return
    if not isinstance(values, tuple) or any(not isinstance(value, kind) or isinstance(value, bool) for value in values):
        raise BadRequest(f"{name} must be {what}, got {values!r}")
