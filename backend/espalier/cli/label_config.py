"""The labeling configuration that a person means: a project's, or a file's."""

from __future__ import annotations

from pathlib import Path

from espalier_ontology.labeling_config import parse
from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from .opened import opened
from .project import find_project


def read_config(source: str) -> str:
    """A project id, or the path of an XML file. Raises BadRequest for what is neither."""
    if source.isdigit():
        with opened() as house:
            return find_project(house, source).label_config
    path = Path(source)
    if not path.is_file():
        raise BadRequest(f"{source!r} is neither a project id nor a file")
    return path.read_text()


def parse_config(xml: str) -> Ontology:
    try:
        return parse(xml)
    except ValueError as error:
        raise BadRequest(str(error)) from error
