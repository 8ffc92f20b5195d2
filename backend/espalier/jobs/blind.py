"""What people said of the tasks whose predictions a run withheld: its real precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..judging.agreement import Agreement, agreement
from ..store.rows import Annotation, Project, Run
from .house import House
from .label_mappings import readings
from .opening import OpenTask, open_tasks
from .withheld import BLIND, WRITTEN, in_state


@dataclass(frozen=True)
class BlindSample:
    """withheld: tasks. annotated: those of them that people have answered since, without having seen an answer."""

    withheld: int = 0
    annotated: int = 0
    given_away: int = 0
    """Tasks that do not count, because another run has shown its prediction of them, or it was accepted."""
    questions: Mapping[str, Agreement] = field(default_factory=dict)
    """By classification."""

    @property
    def all(self) -> Agreement:
        return sum(self.questions.values(), Agreement())

    def to_json(self) -> dict[str, Any]:
        return {
            "withheld": self.withheld,
            "annotated": self.annotated,
            "given_away": self.given_away,
            **_json(self.all),
            "questions": {name: _json(one) for name, one in self.questions.items()},
        }

    def sentence(self) -> str:
        progress = f"{self.annotated} of {self.withheld} blind tasks are annotated so far"
        if self.given_away:
            progress += f", {self.given_away} do not count because a prediction was seen"
        return f"blind sample: {described(self.all)}; {progress}" if self.all.answers else f"blind sample: {progress}"


def described(one: Agreement) -> str:
    """23 of 25 answers right, 92 % (75-98 %)"""
    counted = f"{one.right} of {one.answers} answers right"
    if one.frames != one.answers:
        counted = f"{one.right} of {one.frames} frames of {one.answers} answers right"
    low, high = one.interval.low, one.interval.high
    return f"{counted}, {100 * one.precision:.0f} % ({100 * low:.0f}-{100 * high:.0f} %)"


def measure(house: House, run: Run) -> BlindSample | None:
    """None where the run withheld nothing, or was undone."""
    blind = in_state(house.records, run, BLIND) if run.parameters.get("blind") else set()
    if not blind or run.state == "undone":
        return None
    project = house.project(run.project_key)
    told: dict[int, Annotation] = {}
    seen = blind & _shown_by_others(house, run)
    for annotation in house.records.annotations(project.key, blind - seen):
        if annotation.was_cancelled:
            continue
        if annotation.accepted or annotation.confirmed:
            seen.add(annotation.task_id)
        else:
            told[annotation.task_id] = min(annotation, told.get(annotation.task_id, annotation), key=_rank)
    unseen = {task_id: annotation for task_id, annotation in told.items() if task_id not in seen}
    return BlindSample(len(blind), len(unseen), len(seen), _compare(house, project, run, unseen))


def _compare(house: House, project: Project, run: Run, told: Mapping[int, Annotation]) -> dict[str, Agreement]:
    predicted = house.records.predictions(project.key, run.version, told)
    tasks = house.records.tasks(project.key, told)
    ontology = house.ontology(project, (task.data for task in tasks))
    found: dict[str, Agreement] = {}
    reader = readings(house, project, ontology)  # options may have other names by now
    for one in _opened(house, project, [(task.id, task.data) for task in tasks if task.id in predicted]):
        answers = reader.read(predicted[one.task_id].result, one, run.created_at).answers
        people = reader.read(told[one.task_id].result, one, told[one.task_id].updated_at).answers
        for name, part in agreement(ontology, answers, people).items():
            found[name] = found.get(name, Agreement()) + part
    return {one.name: found[one.name] for one in ontology if one.name in found}


def _opened(house: House, project: Project, tasks: Sequence[tuple[int, Mapping[str, object]]]) -> list[OpenTask]:
    """Pictures are not even fetched: what was said about one frame can be compared without it."""
    ontology = house.ontology(project, (data for _, data in tasks))
    if all(tag.kind == "image" for tag in ontology.media):
        return [OpenTask(task_id, {}) for task_id, _ in tasks]
    return [one for one in open_tasks(tasks, ontology, house.fetcher(project)) if one.media]


def _shown_by_others(house: House, run: Run) -> set[int]:
    runs = [other for other in house.records.runs(run.project_key) if other.id != run.id and other.state != "undone"]
    return set().union(*(in_state(house.records, other, WRITTEN) for other in runs if other.kind == "labeling"))


def _rank(annotation: Annotation) -> tuple[bool, int]:
    """A ground truth goes first, and then what was said first."""
    return not annotation.ground_truth, annotation.id


def _json(one: Agreement) -> dict[str, Any]:
    return {
        "answers": one.answers,
        "frames": one.frames,
        "right": one.right,
        "precision": one.precision,
        "interval": [one.interval.low, one.interval.high],
    }
