"""Training parameters: what a person chooses of what is learned from, what is judged on, and how."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from espalier_ontology.tree import Classification, Ontology, Path

from ..errors import BadRequest

ClassWeight = Literal["none", "balanced"]
CLASS_WEIGHTS: tuple[ClassWeight, ...] = ("none", "balanced")
MIN_IMAGES = 15
"""Images per class under which people are warned: measured quality is a guess there."""


@dataclass(frozen=True)
class TrainingParameters:
    """Filters are those of a run: all, labeled, view=<tab id>, or <data field>=<pattern with * and ?>."""

    classifications: tuple[str, ...] | None = None
    """Learn only these; None means all."""
    leave_out: tuple[str, ...] = ()
    """Classifications, or options as `classification/option`, that are not learned."""
    tasks: tuple[int, ...] | None = None
    """Learn from these tasks only."""
    filter: str = "all"
    val_split: float = 0.15
    test_split: float = 0.15
    val_tasks: tuple[int, ...] | None = None
    """The validation set, chosen by hand; then val_split is not used."""
    val_filter: str | None = None
    split_column: str | None = None
    """A field of the task data that says train, validation (or val, valid) or test; nothing is dealt by chance then."""
    group_column: str | None = None
    """A field of the task data; tasks with an equal value never stand on both sides of a check."""
    seed: int = 0
    class_weight: ClassWeight = "none"
    class_weights: Mapping[str, float] = field(default_factory=dict)
    """By `classification/option`; they multiply what class_weight gives."""
    accepted_weight: float = 0.0
    """How much an answer counts that was made by accepting predictions in bulk, unseen; 0 leaves it out."""
    confirmed_weight: float = 1.0
    """How much an answer counts that a person submitted as it was predicted."""
    default_labels: Mapping[str, str] = field(default_factory=dict)
    """By classification, the option that counts where several hold and one may; else such frames are left out."""
    single_label: tuple[str, ...] = ()
    """Multiple-choice classifications that are learned as if exactly one option held."""
    one_vs_rest: tuple[str, ...] = ()
    """Single-choice classifications that are learned as one yes-or-no question per option."""
    background: str | None = None
    """A filter: frames of these tasks show none of the options, unless people answered otherwise."""
    min_images: int = MIN_IMAGES
    search: bool = True
    """Let the classifier choose its own parameters by cross-check."""
    frozen: bool = False
    """Learn on the encoder of the settings, also where a fine-tuned network serves."""

    def __post_init__(self) -> None:
        for name in ("val_split", "test_split"):
            _within(name, getattr(self, name), 0.0, 0.5)
        for name in ("accepted_weight", "confirmed_weight"):
            _within(name, getattr(self, name), 0.0, 10.0)
        for name, value in self.class_weights.items():
            _within(f"the class weight of {name!r}", value, 0.0, 1000.0)
        if self.class_weight not in CLASS_WEIGHTS:
            raise BadRequest(f"class_weight must be one of {', '.join(CLASS_WEIGHTS)}, got {self.class_weight!r}")
        chosen = [name for name in ("val_tasks", "val_filter", "split_column") if getattr(self, name) is not None]
        if len(chosen) > 1:
            raise BadRequest(f"choose the validation set in one way, not by {' and '.join(chosen)}")
        if both := set(self.single_label) & set(self.one_vs_rest):
            raise BadRequest(f"{', '.join(sorted(both))} cannot be single_label and one_vs_rest at once")

    def check(self, ontology: Ontology) -> None:
        """Raises BadRequest for a classification or an option that this ontology does not ask."""
        known = ", ".join(classification.name for classification in ontology) or "none"
        named = [*(self.classifications or ()), *self.single_label, *self.one_vs_rest, *self.default_labels]
        for name in named:
            if name not in ontology:
                raise BadRequest(f"there is no classification {name!r} to learn; there are {known}")
        for name in [*self.leave_out, *self.class_weights]:
            if name not in ontology and not options_named(ontology, name):
                raise BadRequest(f"{name!r} is no classification and no `classification/option`; there are {known}")
        for name, option in self.default_labels.items():
            if not options_named(ontology, f"{name}/{option}"):
                raise BadRequest(f"{name!r} has no option {option!r} to be its default label")

    def learns(self, classification: Classification) -> bool:
        """Whether anything of this classification is learned."""
        wanted = self.classifications is None or classification.name in self.classifications
        return wanted and classification.name not in self.leave_out

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingParameters:
        """From `to_json`, or from a person's request. Raises BadRequest naming what is unknown or out of range."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        if unknown := set(value) - known:
            raise BadRequest(f"unknown training parameters {sorted(unknown)}; known are {sorted(known)}")
        lists: dict[str, Any] = {name: tuple(given) for name, given in value.items() if isinstance(given, list)}
        return cls(**{**value, **lists})


def options_named(ontology: Ontology, name: str) -> list[tuple[str, Path]]:
    """What `classification/option` means: an option by its path, or every one of that last name."""
    return [
        (classification.name, option.path)
        for classification in ontology
        if name.startswith(f"{classification.name}/")
        for option in classification.options
        if name[len(classification.name) + 1 :] in (" / ".join(option.path), "/".join(option.path), option.name)
    ]


def _within(name: str, value: float, low: float, high: float) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not (number and low <= value <= high):
        raise BadRequest(f"{name} must be a number within [{low:g}, {high:g}], got {value!r}")
