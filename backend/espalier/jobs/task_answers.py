"""Classifications that somebody's own model answers, task by task: who is asked, and what was said, as scores."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from espalier_ontology import regions
from espalier_ontology.answers import Answer
from espalier_ontology.regions import Problem
from espalier_ontology.tree import Classification, Ontology

from ..contract import Classifier, Ids, Scores, TaskRequest
from ..errors import BadSetting, BrokenPlugin, NotTrained
from ..learning.configured import configure
from ..learning.model import Model
from ..learning.questions import Key
from ..learning.told_scores import told_scores
from ..plugins.checked import CheckedClassifier
from ..plugins.registry import new_classifier
from ..store.rows import Project
from .house import House
from .opening import OpenTask

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Tasks in one call: enough for a model that works in batches, few enough that a bad one costs little."""
_SOURCE = "told"
_SENT = ("id", "data", "meta", "project", "created_at", "updated_at", "inner_id")


def reads_tasks(classification: Classification) -> CheckedClassifier | None:
    """The classifier that it names, where that one is asked about tasks; as people have set it."""
    plugin = classification.settings.get("model_plugin")
    if plugin is None:
        return None
    try:
        found = new_classifier(plugin)
        if not found.reads_tasks:
            return None
        configure(found, classification.settings)
    except (BadSetting, BrokenPlugin):
        return None  # it is told where it is trained
    return found


def is_told(classifier: Classifier | None) -> TypeGuard[CheckedClassifier]:
    """Whether it answers by tasks, and not by embeddings."""
    return isinstance(classifier, CheckedClassifier) and classifier.reads_tasks


def request_of(house: House, project: Project, classification: str) -> TaskRequest:
    """Whom the operator named for it. What the labeling configuration or a person named is nobody's word here."""
    url, token = house.way_to_label_studio(project)
    reached = {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": token}
    return TaskRequest(
        project=str(project.id),
        label_config=project.label_config,
        named=house.settings.classifications.code(project.id, classification),
        directory=(house.settings.data_dir / "label_studio_ml" / project.key).resolve(),
        environ={name: value for name, value in reached.items() if value},
    )


@dataclass(frozen=True)
class Told:
    """What one model said of one task. names: the classifications it is asked for. failure: why it said nothing."""

    names: frozenset[str]
    regions: Sequence[Mapping[str, Any]] = ()
    failure: str = ""

    def read(self, ontology: Ontology, opened: OpenTask) -> tuple[list[Answer], list[Problem]]:
        """Its answers to the classifications it is asked for, and what in them cannot be right."""
        found = regions.read(ontology, self.regions, timelines=opened.timelines, lengths=opened.lengths, source=_SOURCE)
        answers = [answer for answer in found.answers if answer.classification in self.names]
        known = {classification.name for classification in ontology}
        return answers, [one for one in found.problems if one.control in self.names or one.control not in known]


@dataclass(frozen=True)
class _Asked:
    names: frozenset[str]
    classifier: CheckedClassifier
    request: TaskRequest


class TaskAnswers:
    """Asks each model once for a task, however many classifications it answers."""

    def __init__(self, house: House, project: Project, classifiers: Mapping[str, CheckedClassifier]) -> None:
        """classifiers: by classification."""
        self.names = frozenset(classifiers)
        groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
        requests = {name: request_of(house, project, name) for name in classifiers}
        for name, classifier in classifiers.items():
            key = classifier.plugin, tuple(sorted(requests[name].named.items()))
            groups.setdefault(key, []).append(name)
        self._asked = [_Asked(frozenset(names), classifiers[names[0]], requests[names[0]]) for names in groups.values()]

    @classmethod
    def of(
        cls, house: House, project: Project, model: Model, only: Collection[str] | None = None
    ) -> TaskAnswers | None:
        """For the heads of a model; None where none is answered so. only: the classifications that are wanted.

        Raises NotTrained where another one is named now than the one that was judged.
        """
        found: dict[str, CheckedClassifier] = {}
        for (name, _), head in model.heads.items():
            classifier = head.classifier
            if not is_told(classifier):
                continue
            now = house.settings.classifications.code(project.id, name).get("model_class", "nobody")
            if now != classifier.answers_by:
                raise NotTrained(
                    f"{name!r} was answered by {classifier.answers_by} when this model version was made, and "
                    f"espalier.yaml names {now} now: train again"
                )
            if only is None or name in only:
                found[name] = classifier
        return cls(house, project, found) if found else None

    def ask(self, tasks: Sequence[Mapping[str, Any]]) -> dict[int, list[Told]]:
        """By task, what each model says. Nobody is shown what people answered, nor what was predicted."""
        shown = [{**{name: task[name] for name in _SENT if name in task}, **_UNANSWERED} for task in tasks]
        found: dict[int, list[Told]] = {task["id"]: [] for task in tasks}
        for asked in self._asked:
            for start in range(0, len(shown), AT_ONCE):
                some = shown[start : start + AT_ONCE]
                for task, told in zip(some, _told(asked, some), strict=True):
                    found[task["id"]].append(told)
        return found

    def scores(self, model: Model, told: Iterable[Told], answers: Sequence[Answer], numbers: Ids) -> dict[Key, Scores]:
        """Calibrated scores float32 (n, k) of the questions that were asked, for frames int64 (n,) of one media."""
        heard = frozenset(name for one in told if not one.failure for name in one.names)
        found: dict[Key, Scores] = {}
        for (name, parent), head in model.heads.items():
            if name in heard and head.trained:
                own = [answer for answer in answers if answer.classification == name]
                raw = told_scores(own, parent, head.options, numbers, exclusive=head.exclusive)
                found[name, parent] = head.calibration(raw)[:, : len(head.options)]
        return found


_UNANSWERED: Mapping[str, Any] = {"annotations": [], "predictions": [], "drafts": []}


def _told(asked: _Asked, tasks: Sequence[Mapping[str, Any]]) -> list[Told]:
    """One by one, where a call with several fails: one bad task is no reason for the others."""
    try:
        return [Told(asked.names, said) for said in asked.classifier.ask(tasks, asked.request)]
    except (BadSetting, BrokenPlugin) as error:
        if len(tasks) > 1 and isinstance(error, BrokenPlugin):
            return [one for task in tasks for one in _told(asked, [task])]
        for task in tasks:
            log.warning("task %s: %s", task["id"], error)
        return [Told(asked.names, failure=f"task {task['id']}: {error}") for task in tasks]
