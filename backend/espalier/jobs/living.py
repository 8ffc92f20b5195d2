"""Which classifications are answered by a classifier that lives: it learns from an answer as soon as it is given."""

from __future__ import annotations

from espalier_ontology.tree import Ontology

from ..errors import BadRequest, BadSetting, BrokenPlugin
from ..learning.live_head import lives
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
        plugin = classification.settings.get("model_plugin", PLUGIN)
        if plugin not in plugins:
            plugins[plugin] = plugin_lives(plugin)
        if plugins[plugin] and parameters.learns(classification):
            found.append(classification.name)
    return tuple(found)


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
