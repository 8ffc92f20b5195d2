"""Label Studio's `visibleWhen`, `whenTagName` and their kin, read as conditions of the ontology.

A control is shown where its own conditions and those of every element around it hold. An attribute of regions
(`perRegion`) is also bound to the labels of those regions, whatever its `visibleWhen` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .markup import Element
from .tree import Classification, Condition, Path

_WHEN = {"visiblewhen", "whentagname", "whenchoicevalue"}


class NotPredictable(Exception):
    """Why a control cannot be predicted by classifying frames; never leaves the ontology's parser."""


class Visibility:
    """Reads conditions. known: the classifications without their conditions; elements: their tags."""

    def __init__(
        self, known: Mapping[str, Classification], elements: Mapping[str, Element], skipped: Mapping[str, str]
    ) -> None:
        self.known = known
        self.elements = elements
        self.skipped = skipped

    def conditions(self, asked: Classification) -> tuple[Condition, ...]:
        """All conditions of a control, the outermost first. Raises NotPredictable."""
        element = self.elements[asked.name]
        own = self._of_region(asked, element) if asked.per_region else [self._stated(asked, element)]
        stated = [condition for condition in reversed(own) if condition is not None]
        nearer = self._implying(asked, stated)
        for outer in element.above():
            if _WHEN.isdisjoint(outer.attributes):
                continue
            if outer.get("visiblewhen") != "choice-unselected" and any(outer.encloses(parent) for parent in nearer):
                continue  # it lies around a parent too, and holds wherever that one is answered
            condition = self._stated(asked, outer)
            if condition is not None:
                stated.append(condition)
                nearer += self._implying(asked, [condition])
        conditions = list(dict.fromkeys(reversed(stated)))
        if asked.per_region and not any(self._gives_region(condition) for condition in conditions):
            conditions.insert(0, self._region(asked, None, None))
        return tuple(conditions)

    def _implying(self, asked: Classification, conditions: Iterable[Condition]) -> list[Element]:
        """The parents whose own conditions need not be repeated for this control."""
        return [
            self.elements[condition.classification]
            for condition in conditions
            if implies(condition, self.known[condition.classification], asked)
        ]

    def _of_region(self, asked: Classification, element: Element) -> list[Condition | None]:
        """The own conditions of an attribute: `whenLabelValue` counts beside any `visibleWhen`."""
        when, tag, label = (element.get(name) for name in ("visiblewhen", "whentagname", "whenlabelvalue"))
        parent = self.known.get(tag or "")
        if when == "region-selected" or (when is None and (parent is None or parent.kind == "timeline")):
            region = self._region(asked, tag, label, element.get("whenrole")) if tag or label or when else None
            value = element.get("whenchoicevalue") if when is None else None
            return [region, self._choice(asked, None, value, negated=False) if value else None]
        return [self._region(asked, None, label) if label else None, self._stated(asked, element)]

    def _gives_region(self, condition: Condition) -> bool:
        parents = (self.known[name] for name in condition.names)
        return not condition.negated and any(parent.scope == "range" for parent in parents)

    def _stated(self, asked: Classification, element: Element) -> Condition | None:
        """The condition that one element puts on this control, if any."""
        when, tag, value = (element.get(name) for name in ("visiblewhen", "whentagname", "whenchoicevalue"))
        if when in ("choice-selected", "choice-unselected"):
            return self._choice(asked, tag, value, negated=when == "choice-unselected")
        if when == "region-selected":
            return self._region(asked, tag, element.get("whenlabelvalue"), element.get("whenrole"))
        if when == "no-region-selected" and asked.per_region:
            raise NotPredictable("is an attribute of regions that is shown only while no region is selected")
        if when is None and (value or (asked.per_region and tag in self.known)):
            return self._choice(asked, tag, value, negated=False)
        return None

    def _region(self, asked: Classification, tag: str | None, label: str | None, role: str | None = None) -> Condition:
        if role is not None:
            raise NotPredictable("depends on the role of a chat message")
        timelines = [other for other in self.known.values() if other.kind == "timeline" and other.media == asked.media]
        if tag is not None and tag != asked.media:
            timelines = [self._parent(tag)]
            if timelines[0].kind != "timeline":
                raise NotPredictable(f"depends on regions of {tag!r}, which is no TimelineLabels")
        if not timelines or (asked.per_region and timelines[0].media != asked.media):
            raise NotPredictable(f"belongs to regions, and {asked.media!r} has no TimelineLabels to draw them")
        return self._answered(timelines, label, negated=False)

    def _choice(self, asked: Classification, tag: str | None, value: str | None, *, negated: bool) -> Condition:
        if tag is not None:
            parents = [self._parent(tag)]
        elif value is not None:
            parents = [other for other in self._others(asked) if _matches(other, value)]
        else:
            parents = [other for other in self._others(asked) if other.control == "Choices"]
        if not parents:
            wanted = f"{value!r} of any Choices" if value is not None else "any Choices before it"
            raise NotPredictable(f"depends on {wanted}, and there is none")
        for parent in parents:
            if parent.kind == "timeline":
                raise NotPredictable(f"depends on {parent.name!r} like on Choices, but that is a TimelineLabels")
            if parent.per_region and (not asked.per_region or parent.media != asked.media):
                raise NotPredictable(f"depends on {parent.name!r}, an attribute of regions, and is not one of the same")
        if negated and value is None:
            raise NotPredictable(f"is asked only where {parents[0].name!r} is left unanswered")
        return self._answered(parents, value, negated=negated)

    def _others(self, asked: Classification) -> list[Classification]:
        """What a condition without `whenTagName` can mean: the choices before this control that it may depend on."""
        names = list(self.known)
        return [
            self.known[name]
            for name in names[: names.index(asked.name)]
            if self.known[name].kind != "timeline" and (asked.per_region or not self.known[name].per_region)
        ]

    def _parent(self, tag: str) -> Classification:
        if tag in self.known:
            return self.known[tag]
        if tag in self.skipped:
            raise NotPredictable(f"depends on {tag!r}, which cannot be predicted itself")
        raise NotPredictable(f"depends on {tag!r}, and no control of this configuration has that name")

    def _answered(self, parents: list[Classification], value: str | None, *, negated: bool) -> Condition:
        options: frozenset[Path] | None = None
        if value is not None:
            matching = [parent for parent in parents if _matches(parent, value)]
            if not matching:
                names = ", ".join(repr(parent.name) for parent in parents)
                raise NotPredictable(f"depends on {value!r} of {names}, and there is no such option")
            parents = matching
            options = frozenset[Path]().union(*(_matches(parent, value) for parent in parents))
        first, *also = (parent.name for parent in parents)
        return Condition(first, options, negated, tuple(also))


def _matches(parent: Classification, value: str) -> frozenset[Path]:
    """The options that `whenChoiceValue` or `whenLabelValue` means; names of dynamic options are taken on trust."""
    whole = parent.named(value)
    if whole:
        return whole
    names = values(value)
    found = frozenset[Path]().union(*(parent.named(name) for name in names))
    if parent.dynamic_field is None:
        return found
    return found | {(name,) for name in names if not parent.named(name)}


def values(text: str) -> list[str]:
    """The values of a comma list."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def implies(condition: Condition, parent: Classification, asked: Classification) -> bool:
    """Whether what the parent needs need not be asked of the child again."""
    return (
        not condition.negated
        and not condition.also
        and (parent.media, parent.scope, parent.per_region) == (asked.media, asked.scope, asked.per_region)
    )


def without_implied(asked: Classification, ordered: Mapping[str, Classification]) -> tuple[Condition, ...]:
    """Its conditions without those that a parent has too. ordered: its parents among others, by name."""
    implied = {
        inherited
        for condition in asked.conditions
        if implies(condition, ordered[condition.classification], asked)
        for inherited in ordered[condition.classification].conditions
        if not inherited.negated
    }
    return tuple(condition for condition in asked.conditions if condition not in implied)
