"""Examples: what people have answered in a project, and its media, as a person chose to use it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from espalier_ontology.answers import Answer
from espalier_ontology.label_mapping import LabelMapping
from espalier_ontology.tree import Ontology

from ..learning.parts import Part
from ..learning.questions import Annotated
from ..learning.training_parameters import TrainingParameters
from ..media.media import Media
from ..store.rows import Annotation, Project, Task
from .bulk_examples import together
from .cataloguing import note
from .choice import Choice
from .choosing import choose
from .house import House
from .label_mappings import readings as readings_of
from .opening import OpenTask, open_tasks


@dataclass
class Examples:
    """What is learned from."""

    annotated: list[Annotated] = field(default_factory=list)
    media: dict[str, Media] = field(default_factory=dict)
    """By media digest."""
    problems: list[str] = field(default_factory=list)
    """What could not be read comes first: somebody may mend it."""
    ontology: Ontology = field(default_factory=Ontology)
    fingerprint: str = ""
    """Changes with the answers that were learned from."""
    annotations: int = 0
    """How many annotations count."""
    tasks: dict[str, list[int]] = field(default_factory=dict)
    """By media digest, the tasks that show it."""
    unopened: set[int] = field(default_factory=set)
    """Tasks of which some media could not be had."""

    @property
    def chosen(self) -> dict[str, Part]:
        """By media digest, the part that a person chose; where two tasks show it, the one that is judged on."""
        order: tuple[Part, ...] = ("train", "validation", "test")
        found: dict[str, Part] = {}
        for item in self.annotated:
            if item.part is not None and order.index(item.part) >= order.index(found.get(item.media, "train")):
                found[item.media] = item.part
        return found


def gather(
    house: House,
    project: Project,
    parameters: TrainingParameters | None = None,
    *,
    only: Collection[int] | None = None,
    choice: Choice | None = None,
    ontology: Ontology | None = None,
) -> Examples:
    """Every answer of every annotation that was not skipped, with its media; those of the tasks that were chosen.

    only: no more than these tasks. choice, ontology: where they are known already.
    """
    parameters = parameters or TrainingParameters()
    choice = choice or choose(house, project, parameters)
    tasks = {
        task.id: task
        for task in house.records.tasks(project.key, only)
        if choice.task_ids is None or task.id in choice.task_ids
    }
    annotations = [
        annotation
        for annotation in house.records.annotations(project.key, only)
        if _is_learned(annotation, parameters) and annotation.task_id in tasks
    ]
    learned = {annotation.task_id for annotation in annotations} | (choice.background & tasks.keys())
    learned_tasks = [tasks[task_id] for task_id in sorted(learned)]
    ontology = ontology or house.ontology(project, (task.data for task in tasks.values()))
    examples = Examples(ontology=ontology, annotations=len(annotations))
    readings = readings_of(house, project, ontology)
    examples.fingerprint = _fingerprint(learned_tasks, annotations, parameters, readings.mappings)
    opened = {
        one.task_id: one
        for one in open_tasks([(task.id, task.data) for task in learned_tasks], ontology, house.fetcher(project))
    }
    note(house, project, opened.values())
    for one in opened.values():
        examples.problems += one.failures
        if one.failures:
            examples.unopened.add(one.task_id)
        for media in one.media.values():
            examples.media[media.digest] = media
            examples.tasks.setdefault(media.digest, []).append(one.task_id)
    waiting = 0
    said = {annotation.task_id for annotation in annotations}
    answered: list[tuple[Annotation, tuple[Answer, ...]]] = []
    for annotation in annotations:
        one = opened[annotation.task_id]
        if one.media:
            reading = readings.read(annotation.result, one, annotation.updated_at)
            waiting += len(reading.again)
            examples.problems += [f"task {annotation.task_id}: {problem}" for problem in reading.problems]
            answered.append((annotation, reading.answers))
    for told in together(ontology, answered, house.records.made_annotations(project.key, only)):
        one = opened[told.annotation.task_id]
        examples.annotated += [
            Annotated(
                media=media.digest,
                group=choice.group_of.get(one.task_id, media.digest),
                answers=told.answers,
                length=media.length,
                ground_truth=told.annotation.ground_truth,
                tag=name,
                weight=_weight(told.annotation, parameters),
                part=choice.part_of.get(one.task_id),
                background=one.task_id in choice.background,
                selected=told.selected,
            )
            for name, media in one.media.items()
        ]
    if waiting:
        examples.problems.append(f"{waiting} answers with options that were split since wait for another look")
    examples.annotated += _background(choice, (one for id, one in opened.items() if id not in said))
    examples.problems += choice.problems
    return examples


def _background(choice: Choice, opened: Iterable[OpenTask]) -> list[Annotated]:
    """Media of background tasks that nobody has answered."""
    return [
        Annotated(
            media=media.digest,
            group=choice.group_of.get(one.task_id, media.digest),
            answers=(),
            length=media.length,
            tag=name,
            part=choice.part_of.get(one.task_id),
            background=True,
        )
        for one in opened
        for name, media in one.media.items()
    ]


def _is_learned(annotation: Annotation, parameters: TrainingParameters) -> bool:
    return not annotation.was_cancelled and bool(annotation.result) and _weight(annotation, parameters) > 0


def _weight(annotation: Annotation, parameters: TrainingParameters) -> float:
    """What was accepted in bulk is the model's own guess, and counts as a person chose; by default not at all."""
    if annotation.accepted:
        return parameters.accepted_weight
    return parameters.confirmed_weight if annotation.confirmed else 1.0


def _fingerprint(
    tasks: list[Task], annotations: list[Annotation], parameters: TrainingParameters, mappings: Sequence[LabelMapping]
) -> str:
    learned: list[Mapping[str, object] | list[object]] = [
        [[task.id, task.data] for task in tasks],
        [[annotation.id, annotation.task_id, annotation.result] for annotation in annotations],
        parameters.to_json(),
        [str(mapping) for mapping in mappings],
    ]
    return hashlib.sha256(json.dumps(learned, sort_keys=True).encode()).hexdigest()[:16]
