"""Errands about a project's ontology: what answers its classifications, what changed, what old options mean today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from espalier_ontology.diff import diff

from ...learning.training import PLUGIN
from ...plugin_settings import faults
from ...plugins.plugin import Plugin
from ...plugins.registry import classifiers, encoders, indexes, tuners
from ...store.rows import Project, StoredMapping
from ..classification_settings import choose, in_force
from ..configurations import ontology_of, todays
from ..house import House
from ..progress import Progress
from ..remapping import add, preview, undo
from ..revisit import refresh

Request = Mapping[str, Any]
Json = dict[str, Any]


def settings(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """Every setting of a classification that is not the usual one, and where it was written."""
    return {"items": [asdict(one) for one in in_force(house, project)]}


def choose_settings(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """All settings, after these were chosen for one classification, and those taken back."""
    chosen = choose(house, project, request["classification"], request.get("given", {}), request.get("taken_back", ()))
    return {"items": [asdict(one) for one in in_force(house, chosen)]}


def changes(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What `espalier ontology diff` says: since the version that serves was trained, or the one that is named."""
    version = house.version(project, request.get("version"))
    found = diff(ontology_of(version), todays(house, project))
    return {"version": version.name, "changes": [asdict(change) for change in found]}


def add_mapping(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """The mappings that were made, and how many answers they are about."""
    old, new = ([tuple(path) for path in request[name]] for name in ("old", "new"))
    made = add(house, project, request["kind"], request["classification"], old, new, job=progress.job_id)
    refresh(house, project)
    return {
        "mappings": [told(mapping) for mapping in made.mappings],
        "answers": made.answers,
        "annotations": made.annotations,
    }


def preview_mapping(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """How many answers a mapping would be about; nothing is kept."""
    old, new = ([tuple(path) for path in request[name]] for name in ("old", "new"))
    found = preview(house, project, request["kind"], request["classification"], old, new)
    return {"answers": found.answers, "annotations": found.annotations}


def plugins(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """Everything installed: why it cannot be loaded, and of classifiers what people may set of them."""
    listed = [*encoders().values(), *classifiers().values(), *indexes().values(), *tuners().values()]
    return {"items": [_described(plugin) for plugin in listed]}


def _described(plugin: Plugin) -> Json:
    error = plugin.error
    schema = getattr(plugin.load(), "schema", None) if plugin.role == "classifier" and not error else None
    if wrong := [] if schema is None else faults(schema):
        schema, error = None, f"its schema cannot be read: {'; '.join(wrong)}"
    return {
        **{name: getattr(plugin, name) for name in ("role", "name", "version", "origin")},
        "error": error,
        "usual": plugin.role == "classifier" and plugin.name == PLUGIN,
        "about": "" if schema is None else schema["description"],
        "properties": {} if schema is None else {name: dict(one) for name, one in schema["properties"].items()},
    }


def undo_mapping(house: House, project: Project, request: Request, progress: Progress) -> Json:
    gone = undo(house, project, request["mapping"])
    refresh(house, house.project(project.key))
    return told(gone)


def told(mapping: StoredMapping) -> Json:
    """Plain JSON, times in ISO 8601."""
    return {
        **asdict(mapping),
        "old": list(mapping.old),
        "new": [list(path) for path in mapping.new],
        "created_at": mapping.created_at.isoformat(),
        "undone_at": mapping.undone_at.isoformat() if mapping.undone_at else None,
    }
