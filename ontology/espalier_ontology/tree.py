"""The ontology: the tree of questions that one labeling configuration asks.

A classification is one question. Its options are its possible answers. An option may hold further options (in a
taxonomy, or nested choices), and may open further classifications, which are then asked only where it holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
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
    """A classification is asked only where another one's answer is (or, negated, is not) among these options.

    The answer itself counts, not what it implies: Label Studio compares the last name of each path.
    """

    classification: str
    options: frozenset[Path] | None = None
    """Any of these; None means any answer at all."""
    negated: bool = False
    also: tuple[str, ...] = ()
    """Further classifications whose answers count like the first one's, as for an attribute of several timelines."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.classification, *self.also)


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
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The tag's `model_*` attributes, by their lower-case name."""
    single_path: bool = False
    """A taxonomy that takes one path only (`maxUsages="1"`)."""
    nested: bool = False
    """Label Studio writes this classification's answers as paths: a taxonomy, or Choices with `allowNested`."""

    @property
    def exclusive(self) -> bool:
        """Whether two sibling options may never hold for the same frame."""
        return self.kind == "single" or self.single_path

    @property
    def per_region(self) -> bool:
        """Whether this is an attribute of a timeline label's range."""
        return self.scope == "range" and self.kind != "timeline"

    def option(self, path: Path) -> Option | None:
        return self._options.get(path)

    def named(self, name: str) -> frozenset[Path]:
        """Every option of this name or alias, at any depth."""
        return self._named.get(name, frozenset())

    def wire_path(self, path: Path) -> Path:
        """A path as Label Studio writes it: each name replaced by its alias. Raises KeyError for an unknown path."""
        return tuple(self._options[path[:depth]].wire_name for depth in range(1, len(path) + 1))

    def path_of(self, wire: Sequence[str]) -> Path | None:
        """The path that Label Studio's names mean, by alias or by value; None where there is no such option."""
        path: Path = ()
        for name in wire:
            found = self._below.get(path, {}).get(name)
            if found is None:
                return None
            path = found
        return path or None

    def siblings(self) -> tuple[Siblings, ...]:
        """The sibling sets, the root's first, parents before children."""
        groups: dict[Path, list[Path]] = {}
        for option in self.options:
            groups.setdefault(option.path[:-1], []).append(option.path)
        return tuple(Siblings(parent, tuple(options)) for parent, options in groups.items())

    def is_leaf(self, path: Path) -> bool:
        return path not in self._below

    @cached_property
    def _options(self) -> dict[Path, Option]:
        return {option.path: option for option in reversed(self.options)}

    @cached_property
    def _below(self) -> dict[Path, dict[str, Path]]:
        below: dict[Path, dict[str, Path]] = {}
        for name_of in (attrgetter("wire_name"), attrgetter("name")):  # what Label Studio writes goes first
            for option in self.options:
                below.setdefault(option.path[:-1], {}).setdefault(name_of(option), option.path)
        return below

    @cached_property
    def _named(self) -> dict[str, frozenset[Path]]:
        named: dict[str, frozenset[Path]] = {}
        for option in self.options:
            for name in {option.name, option.wire_name}:
                named[name] = named.get(name, frozenset()) | {option.path}
        return named


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
        return name in self._classifications

    def classification(self, name: str) -> Classification:
        """Raises KeyError for a name that this ontology does not ask."""
        return self._classifications[name]

    def media_of(self, classification: Classification) -> MediaTag:
        return next(media for media in self.media if media.name == classification.media)

    def children(self, name: str) -> tuple[Classification, ...]:
        """The classifications whose nearest parent is this one."""
        return tuple(other for other in self.classifications if other.conditions and name in other.conditions[-1].names)

    def dependents(self, name: str) -> tuple[Classification, ...]:
        """The classifications that name this one in any of their conditions."""
        return self._dependents.get(name, ())

    def ancestors(self, name: str) -> tuple[Classification, ...]:
        """Every classification that this one depends on, directly or not, in the ontology's order."""
        wanted: set[str] = set()
        pending = [name]
        while pending:
            for condition in self.classification(pending.pop()).conditions:
                fresh = [parent for parent in condition.names if parent not in wanted]
                wanted.update(fresh)
                pending.extend(fresh)
        return tuple(other for other in self.classifications if other.name in wanted)

    def labels(self, name: str) -> Mapping[str, frozenset[Path]]:
        """By timeline, the labels in whose regions an attribute may stand; empty for what is no attribute."""
        return self._labels.get(name, {})

    @cached_property
    def _labels(self) -> dict[str, dict[str, frozenset[Path]]]:
        labels: dict[str, dict[str, frozenset[Path]]] = {}
        for attribute in (other for other in self.classifications if other.per_region):
            common: dict[str, frozenset[Path]] | None = None
            for condition in attribute.conditions:
                stated: dict[str, frozenset[Path]] = {}
                for parent in (self.classification(parent) for parent in condition.names if not condition.negated):
                    if parent.kind == "timeline":
                        every = frozenset(option.path for option in parent.options)
                        stated[parent.name] = every if condition.options is None else every & condition.options
                    for timeline, found in labels.get(parent.name, {}).items():
                        stated[timeline] = stated.get(timeline, frozenset()) | found
                if stated and common is None:
                    common = stated
                elif stated and common is not None:
                    common = {one: common[one] & stated[one] for one in common.keys() & stated.keys()}
            labels[attribute.name] = {timeline: found for timeline, found in (common or {}).items() if found}
        return labels

    @cached_property
    def _classifications(self) -> dict[str, Classification]:
        return {classification.name: classification for classification in self.classifications}

    @cached_property
    def _dependents(self) -> dict[str, tuple[Classification, ...]]:
        dependents: dict[str, tuple[Classification, ...]] = {}
        for classification in self.classifications:
            for name in dict.fromkeys(name for condition in classification.conditions for name in condition.names):
                dependents[name] = (*dependents.get(name, ()), classification)
        return dependents

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
                    (condition.names, sorted(condition.options or ()), condition.negated)
                    for condition in classification.conditions
                ),
            )
            for classification in self.classifications
        )
        return hashlib.sha256(json.dumps(learned).encode()).hexdigest()[:16]
