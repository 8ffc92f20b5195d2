"""Which plugin answers a classification and how: chosen by a person, kept with the project, in force without a restart.

What a person chose here comes before `espalier.yaml`, and that before the labeling configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from espalier_ontology import labeling_config
from espalier_ontology.tree import Ontology

from ..classification_settings import Origin, checked, full_name
from ..errors import BadRequest, BadSetting
from ..learning.configured import PARAMETERS
from ..learning.training import PLUGIN
from ..plugin_settings import parse
from ..plugins.registry import classifiers, new_classifier
from ..store.rows import Project
from .house import House

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Behind:
    """A value that another one comes before."""

    value: str
    origin: Origin


@dataclass(frozen=True)
class ChosenSetting:
    """One setting of one classification that is in force, and where it was written."""

    classification: str
    name: str
    """As an attribute of the labeling configuration: `model_plugin`."""
    value: str
    origin: Origin
    behind: tuple[Behind, ...] = field(default=(), compare=False)
    """What would hold without it, the nearest first."""


def in_force(house: House, project: Project) -> list[ChosenSetting]:
    """Every setting that is not the usual one, in the order of the ontology."""
    written = {one.name: one.settings for one in labeling_config.parse(project.label_config)}
    layers: list[tuple[Origin, Mapping[str, Mapping[str, str]]]] = [
        ("project", project.classifications),
        ("espalier.yaml", house.settings.classifications.of(project.id)),
        ("labeling configuration", written),
    ]
    return [
        ChosenSetting(classification.name, name, value, origin, tuple(behind))
        for classification in house.ontology(project)
        for name, value in sorted(classification.settings.items())
        for (origin, *_), behind in [_layered(layers, classification.name, name)]
    ]


def _layered(
    layers: Sequence[tuple[Origin, Mapping[str, Mapping[str, str]]]], classification: str, name: str
) -> tuple[list[Origin], list[Behind]]:
    """Where it is written, the nearest first; and what is behind that."""
    found = [(origin, layer[classification][name]) for origin, layer in layers if name in layer.get(classification, {})]
    return [origin for origin, _ in found], [Behind(value, origin) for origin, value in found[1:]]


def choose(
    house: House, project: Project, classification: str, given: Mapping[str, str], taken_back: Sequence[str] = ()
) -> Project:
    """From now on these hold for one classification, and what a person chose is taken back for others.

    A training is asked for. Raises BadRequest for a classification, setting, value or plugin that is not there.
    """
    ontology = house.ontology(project)
    if classification not in ontology:
        known = ", ".join(one.name for one in ontology) or "nothing"
        raise BadRequest(f"project {project.id} does not ask {classification!r}; it asks {known}")
    where = f"{classification!r} of project {project.id}"
    try:
        chosen = checked(given, where)
        removed = {full_name(name, where) for name in taken_back}
    except BadSetting as error:
        raise BadRequest(str(error)) from error
    plugins = classifiers()
    if (plugin := chosen.get("model_plugin")) and plugin not in plugins:
        raise BadRequest(f"{where}: no classifier plugin is called {plugin!r}; there are {', '.join(sorted(plugins))}")
    before = dict(project.classifications.get(classification, {}))
    if PARAMETERS in chosen:
        _check_parameters(chosen[PARAMETERS], chosen.get("model_plugin") or _plugin(ontology, classification), where)
    elif "model_plugin" in (chosen.keys() | removed):
        before.pop(PARAMETERS, None)  # what was set of one plugin says nothing to another
    own = {name: value for name, value in {**before, **chosen}.items() if name not in removed - chosen.keys()}
    if own == project.classifications.get(classification, {}) and project.trained_revision >= project.revision:
        return project  # else a kill may have come before the training was asked for
    others = {name: value for name, value in project.classifications.items() if name != classification}
    chosen_now = {**others, **({classification: own} if own else {})}
    house.records.put_project(project.key, classifications=chosen_now, bump=True)
    if project.served:
        house.records.drop_predictions(project.key, project.served)  # they were decided by the old ones
    house.queues.request_training(project.key, delay=False)
    log.info("project %s: settings of %r are %s now", project.id, classification, own or "the usual ones")
    return house.project(project.key)


def _plugin(ontology: Ontology, classification: str) -> str:
    return ontology.classification(classification).settings.get("model_plugin", PLUGIN)


def _check_parameters(text: str, plugin: str, where: str) -> None:
    try:
        new_classifier(plugin).configure(parse(text, where))
    except BadSetting as error:
        raise BadRequest(f"{where}: {error}") from error
