"""A tree that still knows the names which options had before they were renamed, merged, split or retired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from .label_mapping import LabelMapping, in_order, is_below
from .tree import Classification, Condition, Ontology, Option, Path


def with_old_names(ontology: Ontology, mappings: Iterable[LabelMapping]) -> Ontology:
    """The ontology with the old options beside the new ones, for reading what was answered then.

    An old option has everything below it that the new ones have, and what hangs on a new option hangs on the old one
    too. Today's options come first, so that a name means what it means today where it means anything. What hung on an
    option that was retired is not known any more: it is taken to be everything that hangs on its classification.
    """
    for mapping in reversed(in_order(mappings)):  # b was c by the time that a became b
        if mapping.classification in ontology:
            ontology = _with_old_name(ontology, mapping)
    return ontology


def _with_old_name(ontology: Ontology, mapping: LabelMapping) -> Ontology:
    def widened(classification: Classification) -> Classification:
        conditions = tuple(_widened(condition, mapping) for condition in classification.conditions)
        if classification.name != mapping.classification:
            return replace(classification, conditions=conditions)
        known = {option.path: option for option in classification.options}
        for option in _old_options(classification, mapping):
            known.setdefault(option.path, option)
        return replace(classification, conditions=conditions, options=tuple(known.values()))

    return replace(ontology, classifications=tuple(map(widened, ontology)))


def _old_options(classification: Classification, mapping: LabelMapping) -> Iterator[Option]:
    """Parents before their children."""
    yield from (Option(mapping.old[:depth]) for depth in range(1, len(mapping.old)))
    known = {option.path: option for option in mapping.options}
    yield known.pop(mapping.old, Option(mapping.old))
    yield from (option for option in known.values() if is_below(option.path, mapping.old))
    for new in mapping.new:
        for option in classification.options:
            if option.path != new and is_below(option.path, new):
                yield replace(option, path=_moved(option.path, new, mapping.old))


def _widened(condition: Condition, mapping: LabelMapping) -> Condition:
    if condition.options is None or mapping.classification not in condition.names:
        return condition
    old = {_moved(path, new, mapping.old) for new in mapping.new for path in condition.options if is_below(path, new)}
    if len(mapping.new) != 1 and not condition.negated:
        old.add(mapping.old)
    return replace(condition, options=condition.options | old)


def _moved(path: Path, above: Path, to: Path) -> Path:
    return (*to, *path[len(above) :])
