"""Before any label: what a pretrained network knows of a project's options by their names.

A classification is answered by it where `model_plugin="pretrained"` asks so; and where options have `predicted_values`
and no plugin is named, until a classifier that people's labels trained answers better. What somebody's own model
answers by tasks is known before any label, too (`judged_tasks.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from espalier_ontology.tree import Classification, Ontology, Path, Siblings

from ..contract import Pictures
from ..errors import BadRequest, BadSetting, NoWeights
from ..learning.known_head import Known
from ..learning.model import Model
from ..plugins.checked import CheckedEncoder
from ..plugins.registry import new_classifier
from ..store.rows import Project
from .house import House
from .judged_tasks import JudgedTasks
from .opening import open_tasks
from .sample import COUNT, sample
from .task_answers import is_told, reads_tasks

log = logging.getLogger(__name__)

PLUGIN = "pretrained"
_SHOWN = 4
"""Classes of a network that are named for an option in a message."""


def asks(classification: Classification) -> bool:
    """Whether the labeling configuration wants it."""
    named = classification.settings.get("model_plugin")
    if named not in (None, PLUGIN):
        return reads_tasks(classification) is not None
    return named == PLUGIN or any(option.predicted_values for option in classification.options)


def is_wanted(ontology: Ontology) -> bool:
    return any(map(asks, ontology))


def is_known(house: House, project: Project) -> bool:
    """The same of a project, whose labeling configuration may be none."""
    try:
        return is_wanted(house.ontology(project))
    except BadRequest:
        return False


class Knowing:
    """Called with a classification and one of its sibling sets: what the encoder's network knows of it."""

    def __init__(
        self, house: House, project: Project, ontology: Ontology, encoder: CheckedEncoder, judged: JudgedTasks
    ) -> None:
        self.house, self.project, self.ontology, self.encoder, self.judged = house, project, ontology, encoder, judged

    def __call__(self, classification: Classification, siblings: Siblings) -> Known | None:
        if not asks(classification):
            return None
        if classification.settings.get("model_plugin") not in (None, PLUGIN):
            return self.judged(classification, siblings)
        alone = classification.settings.get("model_plugin") == PLUGIN
        named = [self._names(classification, option) for option in siblings.options]
        classifier = new_classifier(PLUGIN)
        try:
            found = classifier.know(
                self.encoder,
                named,
                self._frames,
                exclusive=classification.exclusive,
                among=self._among(classification, siblings),
            )
        except (NoWeights, BadSetting) as error:
            log.warning(
                "project %s: %r cannot be predicted without labels: %s", self.project.id, classification.name, error
            )
            return Known(PLUGIN, (), None, reason=str(error), alone=alone)
        options = tuple(option for option, classes in zip(siblings.options, found, strict=True) if classes)
        if not options:
            reason = f"the network knows none of {', '.join(repr(path[-1]) for path in siblings.options)}"
            return Known(PLUGIN, (), None, reason=f"{reason}; name its classes in predicted_values", alone=alone)
        notes = [
            f"{option[-1]} <- {_some(classes)}"
            for option, classes in zip(siblings.options, found, strict=True)
            if classes
        ]
        never = [option[-1] for option in siblings.options if option not in options]
        if never:
            notes.append(f"not known to the network, so never predicted: {', '.join(never)}")
        return Known(PLUGIN, options, classifier, tuple(notes), alone=alone)

    @cached_property
    def _frames(self) -> Pictures:
        """Some of the project's, labeled or not."""
        tasks = self.house.records.tasks(self.project.key)
        some = [tasks[at] for at in np.unique(np.linspace(0, len(tasks) - 1, COUNT).astype(int))] if tasks else []
        opened = open_tasks([(task.id, task.data) for task in some], self.ontology, self.house.fetcher(self.project))
        return sample([media for one in opened for media in one.media.values()], self.encoder.spec.input_size)

    def _names(self, classification: Classification, path: Path) -> list[str]:
        """Its `predicted_values`, else its own name and alias; and those of all options below it."""
        names: list[str] = []
        for option in classification.options:
            if option.path[: len(path)] == path:
                names += option.predicted_values or dict.fromkeys((option.name, option.wire_name))
        return names

    def _among(self, classification: Classification, siblings: Siblings) -> Sequence[str]:
        """Names of what holds where this is asked: the parent option, or those that open the classification."""
        if siblings.parent:
            return self._names(classification, siblings.parent)
        names: list[str] = []
        for condition in classification.conditions[-1:]:
            if not condition.negated and condition.options is not None:
                for name in condition.names:
                    parent = self.ontology.classification(name)
                    for path in sorted(condition.options):
                        names += self._names(parent, path) if parent.option(path) is not None else []
        return names


def in_words(model: Model) -> str:
    """Which questions are answered without labels, and what is taken for what; empty where none is."""
    found = []
    for head in model.heads.values():
        where = " / ".join((head.classification, *head.parent))
        if head.trained and head.plugin == PLUGIN:
            found.append(f"{where} by the network's own classes ({'; '.join(head.notes)})")
        elif head.trained and is_told(head.classifier):
            found.append(f"{where} ({'; '.join(head.notes)})")
    return ", ".join(found)


def _some(classes: Sequence[str]) -> str:
    more = f" and {len(classes) - _SHOWN} more" if len(classes) > _SHOWN else ""
    return f"{', '.join(classes[:_SHOWN])}{more}"
