"""Which classifications are answered by a classifier that lives: it learns from an answer as soon as it is given."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from espalier_ontology.label_mapping import LabelMapping, in_order, is_below
from espalier_ontology.tree import Classification, Ontology, Path

from ..errors import BadRequest, BadSetting, BrokenPlugin
from ..learning.live import lives
from ..learning.training import PLUGIN
from ..learning.training_parameters import TrainingParameters
from ..plugins.registry import new_classifier
from ..store.rows import Project
from .choosing import parameters_of
from .house import House


def live_classifications(ontology: Ontology, parameters: TrainingParameters) -> tuple[str, ...]:
    """In the ontology's order; what a person left out is none of them."""
    plugins: dict[str, bool] = {PLUGIN: False}
    found = []
    for classification in ontology:
        plugin = plugin_of(classification)
        if plugin not in plugins:
            plugins[plugin] = plugin_lives(plugin)
        if plugins[plugin] and parameters.learns(classification):
            found.append(classification.name)
    return tuple(found)


def plugin_of(classification: Classification) -> str:
    return classification.settings.get("model_plugin", PLUGIN)


def plugin_lives(plugin: str) -> bool:
    """False also for one that is not there: a training says so."""
    try:
        return lives(new_classifier(plugin))
    except (BadSetting, BrokenPlugin):
        return False


def is_live(house: House, project: Project) -> bool:
    """Whether the project has any, whose labeling configuration may be none."""
    try:
        return bool(live_classifications(house.ontology(project), parameters_of(project)))
    except BadRequest:
        return False


def meaning(ontology: Ontology, mappings: Iterable[LabelMapping], parameters: TrainingParameters) -> str:
    """16 hex digits that change with whatever may change what given answers say: then all are read anew."""
    asked = [
        (one.name, [option.path for option in one.options], sorted(one.settings.items()), one.exclusive)
        for one in ontology
    ]
    known = [(str(mapping), mapping.created_at, mapping.options) for mapping in in_order(mappings)]
    chosen = sorted(parameters.to_json().items())
    return hashlib.sha256(repr((ontology.fingerprint, asked, known, chosen)).encode()).hexdigest()[:16]


def was_called(mappings: Sequence[LabelMapping], classification: str, options: Iterable[Path]) -> Mapping[Path, Path]:
    """By option of today, what it was called before it was renamed or merged; others are missing."""
    found: dict[Path, Path] = {}
    for mapping in in_order(mappings):
        if mapping.classification == classification and len(mapping.new) == 1:
            (new,) = mapping.new
            found.update({path: (*mapping.old, *path[len(new) :]) for path in options if is_below(path, new)})
    return found
