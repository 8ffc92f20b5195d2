"""Label mappings of a project, as answers are read by them: what its options were called when they were answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from espalier_ontology.label_mapping import LabelMapping, is_below
from espalier_ontology.tree import Ontology, Option

from ..store.rows import Project, StoredMapping
from .configurations import configurations
from .house import House
from .reading import Readings


def held(house: House, project: Project) -> tuple[LabelMapping, ...]:
    """The mappings that hold, the oldest first, with the aliases that old options had."""
    stored = house.records.mappings(project.key)
    if not stored:
        return ()
    past = list(configurations(house, project))
    return tuple(with_aliases(_mapping(mapping), past) for mapping in stored)


def readings(house: House, project: Project, ontology: Ontology) -> Readings:
    """What reads the answers of people in today's words."""
    return Readings(ontology, held(house, project))


def with_aliases(mapping: LabelMapping, past: Iterable[tuple[str, Ontology]]) -> LabelMapping:
    """The same, with the old option as it was: for the version that served, or else the newest that knew it.

    past: ontologies by the names of their versions, the newest first.
    """
    for _, ontology in sorted(past, key=lambda one: one[0] != mapping.from_version):
        options = tuple(_below(ontology, mapping))
        if options:
            return replace(mapping, options=options)
    return mapping


def _mapping(stored: StoredMapping) -> LabelMapping:
    return LabelMapping(
        stored.kind,
        stored.classification,
        stored.old,
        stored.new,
        stored.created_at,
        stored.from_version,
        stored.id,
    )


def _below(ontology: Ontology, mapping: LabelMapping) -> Iterator[Option]:
    if mapping.classification in ontology:
        for option in ontology.classification(mapping.classification).options:
            if is_below(option.path, mapping.old):
                yield option
