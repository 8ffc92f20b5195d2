"""A version's model as of now: its classifiers that live know what people answered since it was trained.

They are brought up to date from the mirror: of the media whose answers changed, everything is forgotten and told anew.
Where answers mean something else than before (another option, a label mapping, other parameters), all are read again.
Nothing of that is a training: there is no new version, and calibration and cutoffs stay.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from espalier_ontology.label_mapping import LabelMapping
from espalier_ontology.tree import Ontology

from ..learning.asked import Asked
from ..learning.configured import configure
from ..learning.live_learning import LiveHead
from ..learning.model import Model
from ..learning.questions import Key, Question
from ..learning.rows import Located
from ..plugins.checked import CheckedEncoder
from ..plugins.registry import load_classifier, new_classifier
from ..store.rows import ModelVersion, Project
from .choosing import choose, parameters_of
from .embedding import Reports
from .examples import Examples, gather
from .house import House
from .live_lesson import LiveLesson
from .living import live_classifications, meaning, plugin_of, was_called
from .version_files import ANSWERED

_NOWHERE = Located(np.zeros(0, np.str_), np.zeros(0, np.int64))
_AGAIN_S = 300
"""How long media that could not be opened are left alone."""


class LiveModel:
    """Of one version; kept by a worker as long as it predicts with it, see `live_models`."""

    def __init__(self, house: House, version: ModelVersion) -> None:
        directory = Path(version.directory)
        self._house = house
        # Not that of the house: what others look at stays as it was trained.
        self._trained = Model.load(directory, load_classifier=load_classifier)
        self._base = self._trained.heads
        self._heads: dict[Key, LiveHead] = {
            key: LiveHead.trained(head, self._trained.rows)
            for key, head in self._trained.heads.items()
            if head.living and head.evidence is not None
        }
        answered = json.loads((directory.parent / ANSWERED).read_text())
        self._tasks = {media: set(tasks) for media, tasks in answered.items()}
        self._media: dict[int, set[str]] = {}
        for media, tasks in self._tasks.items():
            for task in tasks:
                self._media.setdefault(task, set()).add(media)
        self._position = int(version.trained_on["position"])
        self._meaning = str(version.trained_on["meaning"])
        self._names: tuple[str, ...] = ()
        self._unopened: set[int] = set()
        self._opened_at = time.monotonic()

    @property
    def names(self) -> tuple[str, ...]:
        """The classifications that live."""
        return self._names

    def catch_up(
        self, project: Project, mappings: Sequence[LabelMapping], encoder: CheckedEncoder, progress: Reports
    ) -> Model:
        """The model as of the answers that the mirror holds now, under the project's configuration as it is given."""
        house, parameters = self._house, parameters_of(project)
        ontology = self._ontology(project)
        position = house.records.position(project.key)
        means = meaning(ontology, mappings, parameters)
        self._names = live_classifications(ontology, parameters)
        lesson = LiveLesson(house, project, ontology, parameters, encoder, progress)
        if means != self._meaning or position < self._position:
            self._read_all(lesson, mappings)
        else:
            changed: set[int] = set()
            if position > self._position:
                changed = house.records.tasks_changed_since(project.key, self._position)
            if self._unopened and time.monotonic() - self._opened_at > _AGAIN_S:
                changed |= self._unopened
            if changed:
                self._read(lesson, mappings, changed)
        self._position, self._meaning = position, means
        return replace(self._trained, heads={**self._base, **{key: live.head for key, live in self._heads.items()}})

    def _read_all(self, lesson: LiveLesson, mappings: Sequence[LabelMapping]) -> None:
        """Everything anew: the classifiers are told all at once."""
        examples = gather(lesson.house, lesson.project, lesson.parameters, ontology=lesson.ontology)
        questions = lesson.questions(examples, self._names)
        self._heads = {
            asked.key: self._fitted(lesson, asked, questions.get(asked.key), examples, mappings)
            for classification in lesson.ontology
            if classification.name in self._names
            for asked in lesson.asked(classification)
        }
        self._base = {key: head for key, head in self._trained.heads.items() if key[0] not in self._names}
        self._tasks, self._media = {}, {}
        self._note(examples, ())

    def _read(self, lesson: LiveLesson, mappings: Sequence[LabelMapping], changed: set[int]) -> None:
        """What these tasks, and the others that show their media, say now."""
        house, project, parameters = lesson.house, lesson.project, lesson.parameters
        choice = choose(house, project, parameters)
        media = {one for task in changed for one in self._media.get(task, ())}
        whole = any(lesson.goes_by_all(one) for one in lesson.ontology if one.name in self._names)
        only: set[int] | None = None if whole else set(changed)
        examples = gather(house, project, parameters, only=only, choice=choice, ontology=lesson.ontology)
        if only is not None:
            media |= examples.media.keys()
            beside = {task for one in media for task in self._tasks.get(one, ())} - only
            if beside:
                examples = gather(
                    house, project, parameters, only=only | beside, choice=choice, ontology=lesson.ontology
                )
            examples.annotated = [item for item in examples.annotated if item.media in media]
        questions = lesson.questions(examples, self._names)
        for key in list(self._heads):
            question, live = questions.get(key), self._heads[key]
            if question is not None and not live.fits(question):  # as people answer it, several options may hold now
                self._refit(lesson, key, question, examples, mappings)
                continue
            change = live.change(question, parameters, None if whole else media)
            if change.media:
                rows = change.rows
                located = _NOWHERE if rows is None else Located(rows.media, rows.frames)
                live.tell(change, lesson.embeddings(located, examples))
        self._note(examples, changed)

    def _refit(
        self,
        lesson: LiveLesson,
        key: Key,
        question: Question,
        examples: Examples,
        mappings: Sequence[LabelMapping],
    ) -> None:
        classification = lesson.ontology.classification(key[0])
        asked = next(one for one in lesson.asked(classification) if one.key == key)
        self._heads[key] = self._fitted(lesson, asked, question, examples, mappings)

    def _fitted(
        self,
        lesson: LiveLesson,
        asked: Asked,
        question: Question | None,
        examples: Examples,
        mappings: Sequence[LabelMapping],
    ) -> LiveHead:
        name, parent = asked.key
        names = was_called(mappings, name, [*asked.options, parent])
        trained = self._trained.heads
        plugin = plugin_of(asked.classification)
        classifier = new_classifier(plugin)
        configure(classifier, asked.classification.settings)
        return LiveHead.fitted(
            asked,
            plugin,
            classifier,
            question,
            lesson.embeddings(_NOWHERE if question is None else Located(question.media, question.frames), examples),
            lesson.parameters,
            before=trained.get(asked.key) or trained.get((name, names.get(parent, parent))),
            names=names,
        )

    def _note(self, examples: Examples, changed: Collection[int]) -> None:
        """Which media the tasks show by now; changed: of these, what was noted before is no more."""
        for task in changed:
            for media in self._media.pop(task, ()):
                self._tasks[media].discard(task)
        for media, tasks in examples.tasks.items():
            for task in tasks:
                self._tasks.setdefault(media, set()).add(task)
                self._media.setdefault(task, set()).add(media)
        self._unopened = (self._unopened - set(changed)) | examples.unopened
        if examples.unopened:
            self._opened_at = time.monotonic()

    def _ontology(self, project: Project) -> Ontology:
        ontology = self._house.ontology(project)
        if any(classification.dynamic_field for classification in ontology):
            ontology = self._house.ontology(project, (task.data for task in self._house.records.tasks(project.key)))
        return ontology
