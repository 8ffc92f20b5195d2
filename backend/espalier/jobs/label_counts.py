"""The label counts of a project as it is now. Nothing is downloaded, embedded or trained for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from espalier_ontology.tree import MediaTag
from espalier_ontology.wire import is_whole

from ..labeling.label_counts import LabelCounts, count
from ..labeling.label_warnings import label_warnings
from ..learning.questions import Annotated
from ..learning.targets import lesson
from ..learning.training_parameters import TrainingParameters
from ..media.field import value_of
from ..store.rows import Annotation, Project, Task
from .choice import Choice
from .choosing import choose, parameters_of
from .house import House
from .label_mappings import readings
from .opening import OpenTask
from .reading import Readings

_UNREAD = 5


def label_counts(house: House, project: Project, parameters: TrainingParameters | None = None) -> LabelCounts:
    """What a training by these parameters, or those that are kept for the project, would learn from.

    A media is known by its link here, and a video is as long as the last frame that somebody labeled in it, or one
    frame: training knows contents and lengths, and may find copies, or more frames of a whole video.
    """
    parameters = parameters_of(project) if parameters is None else parameters
    choice = choose(house, project, parameters)
    tasks = {task.id: task for task in house.records.tasks(project.key)}
    ontology = house.ontology(project, (task.data for task in tasks.values()))
    kept = {id: task for id, task in tasks.items() if choice.task_ids is None or id in choice.task_ids}
    answers = [
        annotation
        for annotation in house.records.annotations(project.key, None if choice.task_ids is None else kept)
        if not annotation.was_cancelled and annotation.result and annotation.task_id in kept
    ]
    annotations = [annotation for annotation in answers if _weight(annotation, parameters) > 0]
    problems: list[str] = []
    annotated = list(_annotated(readings(house, project, ontology), kept, annotations, choice, parameters, problems))
    counts = count(
        ontology,
        lesson(ontology, annotated, parameters=parameters),
        parameters,
        {one.media: one.part for one in annotated if one.part is not None},
    )
    left_out = [*counts.left_out, *problems[:_UNREAD]]
    if unseen := len(answers) - len(annotations):
        left_out.append(f"{unseen} annotations that are predictions accepted unseen (accepted_weight is 0)")
    if len(kept) < len(tasks):
        left_out.append(f"{len(tasks) - len(kept)} of {len(tasks)} tasks, which were not chosen")
    return replace(counts, warnings=(*choice.problems, *label_warnings(counts, parameters)), left_out=tuple(left_out))


@dataclass(frozen=True)
class _Unopened(OpenTask):
    """A task whose media lie wherever they lie."""

    known: Mapping[str, int] = field(default_factory=dict)

    @property
    def lengths(self) -> dict[str, int]:
        return dict(self.known)


def _annotated(
    reads: Readings,
    tasks: Mapping[int, Task],
    annotations: Sequence[Annotation],
    choice: Choice,
    parameters: TrainingParameters,
    problems: list[str],
) -> Iterator[Annotated]:
    asked = {classification.media for classification in reads.ontology}
    tags = [tag for tag in reads.ontology.media if tag.name in asked]
    answered = {annotation.task_id for annotation in annotations}
    silent = [(tasks[id], None) for id in sorted(choice.background & tasks.keys() - answered)]
    for task, annotation in [*((tasks[one.task_id], one) for one in annotations), *silent]:
        result = annotation.result if annotation else []
        lengths = {tag.name: _length(tag, task.data, result) for tag in tags}
        reading = reads.read(
            result, _Unopened(task.id, {}, known=lengths), annotation.updated_at if annotation else None
        )
        problems += [f"task {task.id}: {problem}" for problem in reading.problems]
        for tag in tags:
            link = value_of(task.data, tag.field)
            if link is None:
                problems.append(f"task {task.id}: its data has nothing under {tag.field!r}")
                continue
            media = link if isinstance(link, str) else repr(link)
            yield Annotated(
                media=media,
                group=choice.group_of.get(task.id, media),
                answers=reading.answers,
                length=lengths[tag.name],
                ground_truth=bool(annotation and annotation.ground_truth),
                tag=tag.name,
                weight=_weight(annotation, parameters),
                part=choice.part_of.get(task.id),
                background=task.id in choice.background,
            )


def _length(tag: MediaTag, data: Mapping[str, Any], result: Sequence[Mapping[str, Any]]) -> int:
    """Frames, as far as can be told without opening anything."""
    if tag.kind == "sequence":
        items = value_of(data, tag.field)
        return len(items) if isinstance(items, list) else 1
    if tag.kind == "image":
        return 1
    values = [region.get("value") for region in result]
    ranges = [value.get("ranges") for value in values if isinstance(value, Mapping)]
    ends = [span.get("end") for spans in ranges if isinstance(spans, list) for span in spans if isinstance(span, dict)]
    return max((int(end) for end in ends if is_whole(end)), default=1)


def _weight(annotation: Annotation | None, parameters: TrainingParameters) -> float:
    if annotation is None:
        return 1.0
    if annotation.accepted:
        return parameters.accepted_weight
    return parameters.confirmed_weight if annotation.confirmed else 1.0
