"""Settings of classifications that were chosen elsewhere than in the labeling configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .tree import Ontology


def with_settings(ontology: Ontology, chosen: Mapping[str, Mapping[str, str]]) -> Ontology:
    """The same tree, with these settings in place of those written in the labeling configuration.

    chosen: by classification, values by name (`model_plugin`). Names that the ontology does not have are no matter.
    """
    if not any(classification.name in chosen for classification in ontology):
        return ontology
    return replace(
        ontology,
        classifications=tuple(
            replace(one, settings={**one.settings, **chosen[one.name]}) if one.name in chosen else one
            for one in ontology.classifications
        ),
    )
