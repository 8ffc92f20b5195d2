"""A project's ontology as it is, and as it was for its model versions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from espalier_ontology import labeling_config
from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from ..store.rows import ModelVersion, Project
from .house import House

LABEL_CONFIG = "label_config"
"""The key in `ModelVersion.trained_on` under which the configuration stands, as it was in Label Studio."""


def configurations(house: House, project: Project) -> Iterator[tuple[str, Ontology]]:
    """Each version's name with its ontology, the newest first; those that kept no configuration are left out."""
    for version in house.records.versions(project.key):
        xml = version.trained_on.get(LABEL_CONFIG)
        if isinstance(xml, str):
            yield version.name, _parse(xml)


def ontology_of(version: ModelVersion) -> Ontology:
    """The ontology that a version was trained for. Raises BadRequest where it kept no configuration."""
    xml = version.trained_on.get(LABEL_CONFIG)
    if not isinstance(xml, str):
        raise BadRequest(
            f"model version {version.name} was trained before versions kept their configuration: "
            f"give two files instead, or train once and compare from then on"
        )
    return _parse(xml)


def todays(house: House, project: Project) -> Ontology:
    """The project's ontology with every option that any of its tasks lists."""
    return house.ontology(project, (task.data for task in house.records.tasks(project.key)))


@lru_cache(maxsize=32)
def _parse(xml: str) -> Ontology:
    return labeling_config.parse(xml)
