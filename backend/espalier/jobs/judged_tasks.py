"""What somebody's own model says of the tasks that people have answered: by that it is calibrated and judged."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Classification, Siblings

from ..contract import Ids, Scores
from ..errors import BadSetting, BrokenPlugin
from ..learning.known_head import Known
from ..learning.rows import Rows
from ..learning.told_scores import told_scores
from ..plugins.checked import CheckedClassifier
from ..store.rows import Project
from .examples import Examples
from .house import House
from .opening import OpenTask, open_tasks
from .task_answers import TaskAnswers, Told, reads_tasks, request_of

TRUSTED_S = 3600.0
"""How long an answer is used again: a training follows every few annotations, and a model may need a second a task."""
_KEPT = 20_000

_told: OrderedDict[str, tuple[float, Told]] = OrderedDict()


class JudgedTasks:
    """Called with a classification and one of its sibling sets; None where no model is asked about tasks for it."""

    def __init__(self, house: House, project: Project, examples: Examples) -> None:
        self.house, self.project, self.examples = house, project, examples
        self._asked: dict[str, dict[str, tuple[OpenTask, Told]]] = {}

    def __call__(self, classification: Classification, siblings: Siblings) -> Known | None:
        classifier = reads_tasks(classification)
        if classifier is None:
            return None
        name, options = classification.name, siblings.options
        request = request_of(self.house, self.project, name)
        try:
            by = classifier.begin(request, options=len(options), exclusive=classification.exclusive)
        except (BadSetting, BrokenPlugin) as error:
            reason = str(error)
            if "model_class" in classification.settings:
                reason = f"its class={classification.settings['model_class']!r} is not taken from there: {reason}"
            self._problem(f"{name}: {reason}")
            return Known(classifier.plugin, (), None, reason=reason, alone=True)

        def scores(rows: Rows) -> tuple[Scores, NDArray[np.bool_]]:
            return self._scores(classification, siblings, classifier, rows)

        return Known(classifier.plugin, options, classifier, (f"answered by {by}",), alone=True, scores=scores)

    def _scores(
        self, classification: Classification, siblings: Siblings, classifier: CheckedClassifier, rows: Rows
    ) -> tuple[Scores, NDArray[np.bool_]]:
        """float32 (n, columns), and the rows that it could be asked about, bool (n,)."""
        exclusive = classification.exclusive
        said = self._of_media(classification.name, classifier, rows)
        scores = told_scores((), siblings.parent, siblings.options, rows.frames, exclusive=exclusive)
        asked = np.zeros(len(rows), np.bool_)
        for digest, at in _by_media(rows).items():
            opened, told = said.get(digest, (None, None))
            media = opened.media.get(classification.media) if opened is not None else None
            if opened is None or told is None or told.failure or media is None or media.digest != digest:
                continue
            answers, problems = told.read(self.examples.ontology, opened)
            for problem in problems:
                self._problem(f"task {opened.task_id}, as it was answered: {problem}")
            own = [answer for answer in answers if answer.classification == classification.name]
            scores[at] = told_scores(own, siblings.parent, siblings.options, rows.frames[at], exclusive=exclusive)
            asked[at] = True
        return scores, asked

    def _of_media(self, name: str, classifier: CheckedClassifier, rows: Rows) -> Mapping[str, tuple[OpenTask, Told]]:
        """By media digest, the first task that shows it, and what was said of that."""
        if name not in self._asked:
            shown = {digest: self.examples.tasks[digest][0] for digest in np.unique(rows.media).tolist()}
            tasks = self.house.records.tasks(self.project.key, set(shown.values()))
            told = self._ask(name, classifier, [{"id": task.id, "data": dict(task.data)} for task in tasks])
            opened = open_tasks(
                [(task.id, task.data) for task in tasks], self.examples.ontology, self.house.fetcher(self.project)
            )
            by_id = {one.task_id: one for one in opened}
            for failure in dict.fromkeys(one.failure for one in told.values() if one.failure):
                self._problem(failure)
            self._asked[name] = {
                digest: (by_id[task_id], told[task_id]) for digest, task_id in shown.items() if task_id in told
            }
        return self._asked[name]

    def _ask(self, name: str, classifier: CheckedClassifier, tasks: Sequence[Mapping[str, Any]]) -> dict[int, Told]:
        model = f"{self.project.key} {request_of(self.house, self.project, name)}"  # it may answer others, too
        keys = {task["id"]: _digest(model, task) for task in tasks}
        names = frozenset([name])
        known = {id: replace(found, names=names) for id, key in keys.items() if (found := _remembered(key)) is not None}
        asking = TaskAnswers(self.house, self.project, {name: classifier})
        for task_id, (told,) in asking.ask([task for task in tasks if task["id"] not in known]).items():
            known[task_id] = told
            if not told.failure:
                _told[keys[task_id]] = time.monotonic(), told
        while len(_told) > _KEPT:
            _told.popitem(last=False)
        return known

    def _problem(self, words: str) -> None:
        if words not in self.examples.problems:
            self.examples.problems.insert(0, words)


def _by_media(rows: Rows) -> dict[str, Ids]:
    """Row numbers int64 by media digest."""
    digests, numbered = np.unique(rows.media, return_inverse=True)
    order = np.argsort(numbered, kind="stable")
    ends = np.cumsum(np.bincount(numbered, minlength=len(digests)))
    return dict(zip(digests.tolist(), np.split(order.astype(np.int64), ends[:-1]), strict=True))


def _remembered(key: str) -> Told | None:
    at, told = _told.get(key, (0.0, None))
    return told if told is not None and time.monotonic() - at < TRUSTED_S else None


def _digest(model: str, task: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps([model, task], sort_keys=True, default=str).encode()).hexdigest()
