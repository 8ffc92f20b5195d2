"""What people said about tasks whose media are open."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from espalier_ontology import regions
from espalier_ontology.regions import Reading
from espalier_ontology.tree import Ontology

from .opening import OpenTask


class Readings:
    """Reads results under one ontology. Equal answers to an image are read once: thousands of pictures share a few."""

    def __init__(self, ontology: Ontology) -> None:
        self.ontology = ontology
        self._alike = all(tag.kind == "image" for tag in ontology.media)
        self._known: dict[tuple[frozenset[str], str], Reading] = {}

    def read(self, result: Sequence[Mapping[str, Any]], opened: OpenTask) -> Reading:
        """The answers in a result, and what is wrong with it."""
        if not self._alike:
            return self._read(result, opened)
        # The ids of regions are all that differs, and mean nothing where there is one frame.
        said = [{name: item[name] for name in item if name != "id"} for item in result]
        form = frozenset(opened.media), json.dumps(said, sort_keys=True)
        known = self._known.get(form)
        if known is None:
            known = self._read(result, opened)
            if not known.problems:  # those name the region
                self._known[form] = known
        return known

    def _read(self, result: Sequence[Mapping[str, Any]], opened: OpenTask) -> Reading:
        return regions.read(self.ontology, result, timelines=opened.timelines, lengths=opened.lengths)
