"""The ontology: the tree of questions that one labeling configuration asks.

A classification is one question. Its options are its possible answers. An option may hold further options (in a
taxonomy, or nested choices), and may open further classifications, which are then asked only where it holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Path = tuple[str, ...]
"""Names from the root of a classification down to an option; a flat option is a path of one name."""

MediaKind = Literal["image", "sequence", "video"]
Kind = Literal["single", "multiple", "taxonomy", "timeline"]
Scope = Literal["media", "item", "range"]


@dataclass(frozen=True)
class MediaTag:
    """One object tag: where a task's picture, sequence or video comes from."""

    name: str
    kind: MediaKind
    field: str
    """The key in the task's data, without `$`; may be a dotted path, as Label Studio allows."""
    frame_rate: str | None = None
    """The `frameRate` attribute as written: a number, `$field`, or None."""


@dataclass(frozen=True)
class Option:
    """One possible answer."""

    path: Path
    alias: str | None = None
    """What Label Studio writes in results instead of the name."""
    hotkey: str | None = None
    background: str | None = None
    predicted_values: tuple[str, ...] = ()
    """Names under which a pretrained model knows this option."""

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def wire_name(self) -> str:
        return self.alias or self.name


@dataclass(frozen=True)
class Condition:
    """A classification is asked only where another one's answer is (or, negated, is not) among these options."""

    classification: str
    options: frozenset[Path] | None = None
    """Any of these; None means any answer at all."""
    negated: bool = False


@dataclass(frozen=True)
class Siblings:
    """Options that stand beside each other under one parent: what one set of scores decides among."""

    parent: Path
    options: tuple[Path, ...]


@dataclass(frozen=True)
class Classification:
    """One question of the ontology.

    kind: `single` (one option), `multiple` (any number), `taxonomy` (paths), `timeline` (ranges, which may overlap).
    scope: the whole `media`, each `item` of a sequence, or a `range` of a video (a timeline label or its attribute).
    """

    name: str
    media: str
    control: str
    """The Label Studio tag: Choices, Taxonomy or TimelineLabels."""
    kind: Kind
    scope: Scope
    options: tuple[Option, ...]
    """Every option, parents before their children, in the order of the configuration."""
    conditions: tuple[Condition, ...] = ()
    """All must hold. The last one is the nearest parent."""
    required: bool = False
    leaves_only: bool = False
    """Only options without children may be answered (`leafsOnly` of a taxonomy)."""
    dynamic_field: str | None = None
    """The data key that lists this classification's options task by task (`value="$field"`)."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The tag's `model_*` attributes, by their lower-case name."""
    single_path: bool = False
    """A taxonomy that takes one path only (`maxUsages="1"`)."""

    @property
    def exclusive(self) -> bool:
        """Whether two sibling options may never hold for the same frame."""
        return self.kind == "single" or self.single_path

    @property
    def per_region(self) -> bool:
        """Whether this is an attribute of a timeline label's range."""
        return self.scope == "range" and self.kind != "timeline"

    def option(self, path: Path) -> Option | None:
        return next((option for option in self.options if option.path == path), None)

    def siblings(self) -> tuple[Siblings, ...]:
        """The sibling sets, the root's first, parents before children."""
        groups: dict[Path, list[Path]] = {}
        for option in self.options:
            groups.setdefault(option.path[:-1], []).append(option.path)
        return tuple(Siblings(parent, tuple(options)) for parent, options in groups.items())

    def is_leaf(self, path: Path) -> bool:
        return not any(option.path[:-1] == path for option in self.options)


@dataclass(frozen=True)
class Skipped:
    """A control that cannot be predicted by classifying frames, and why."""

    name: str
    control: str
    reason: str


@dataclass(frozen=True)
class Ontology:
    """What one labeling configuration asks: classifications in an order where parents come before children."""

    media: tuple[MediaTag, ...] = ()
    classifications: tuple[Classification, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Classification]:
        return iter(self.classifications)

    def __contains__(self, name: object) -> bool:
        return any(classification.name == name for classification in self.classifications)

    def classification(self, name: str) -> Classification:
        """Raises KeyError for a name that this ontology does not ask."""
        for classification in self.classifications:
            if classification.name == name:
                return classification
        raise KeyError(name)

    def media_of(self, classification: Classification) -> MediaTag:
        return next(media for media in self.media if media.name == classification.media)

    def children(self, name: str) -> tuple[Classification, ...]:
        """The classifications whose nearest parent is this one."""
        return tuple(
            other for other in self.classifications if other.conditions and other.conditions[-1].classification == name
        )

    def ancestors(self, name: str) -> tuple[Classification, ...]:
        """Every classification that this one depends on, directly or not, in the ontology's order."""
        wanted: set[str] = set()
        pending = [name]
        while pending:
            for condition in self.classification(pending.pop()).conditions:
                if condition.classification not in wanted:
                    wanted.add(condition.classification)
                    pending.append(condition.classification)
        return tuple(other for other in self.classifications if other.name in wanted)

    @property
    def roots(self) -> tuple[Classification, ...]:
        return tuple(classification for classification in self.classifications if not classification.conditions)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change when, and only when, something that a model learns from changes.

        Colours, hot-keys, order of controls and layout do not count.
        """
        learned = sorted(
            (
                classification.name,
                classification.media,
                classification.kind,
                classification.scope,
                sorted(option.path for option in classification.options),
                sorted(
                    (condition.classification, sorted(condition.options or ()), condition.negated)
                    for condition in classification.conditions
                ),
            )
            for classification in self.classifications
        )
        return hashlib.sha256(json.dumps(learned).encode()).hexdigest()[:16]
