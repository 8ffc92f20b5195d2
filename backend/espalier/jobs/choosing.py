"""Choosing: which of a project's tasks are learned from, and which are judged on, as a person said and it is kept."""

from __future__ import annotations

from dataclasses import replace

from ..errors import BadRequest
from ..learning.training_parameters import TrainingParameters
from ..store.rows import Project
from .choice import Choice, choice_of, option_named
from .house import House
from .parameters import RunParameters
from .selection import select


def choose(house: House, project: Project, parameters: TrainingParameters) -> Choice:
    """What these parameters mean for the project's tasks as they are now. Never opens media.

    Raises BadRequest for what is no filter; with a tab of the Data Manager, whatever asking Label Studio raises.
    """
    if parameters == TrainingParameters():
        return Choice()
    filters = {name: found for name in ("filter", "val_filter", "background") if (found := getattr(parameters, name))}
    if filters.get("filter") == "all":
        del filters["filter"]
    passing = {name: _passing(house, project, name, condition) for name, condition in filters.items()}
    annotated = {
        annotation.task_id
        for annotation in house.records.annotations(project.key)
        if not annotation.was_cancelled and annotation.result
    }
    data = {task.id: task.data for task in house.records.tasks(project.key)}
    ontology = house.ontology(project, data.values())
    choice = choice_of(parameters, data, annotated, passing, [tag.field for tag in ontology.media])
    try:
        parameters.check(ontology)
    except BadRequest as error:  # the labeling configuration may have changed since it was chosen
        return replace(choice, mistakes=(str(error), *choice.mistakes))
    return choice


def parameters_of(project: Project) -> TrainingParameters:
    """What was chosen for the project's trainings, and is kept until somebody chooses otherwise."""
    return TrainingParameters.from_json(project.training)


def keep(house: House, project: Project, parameters: TrainingParameters) -> Project:
    """From now on every training of the project goes by these. Raises BadRequest where they do not fit it.

    A person is there to mend it now; later, when annotations cause a training, nobody is.
    """
    choice = choose(house, project, parameters)
    if choice.mistakes:
        raise BadRequest("; ".join(choice.mistakes))
    if parameters == parameters_of(project):
        return project
    given = {} if parameters == TrainingParameters() else parameters.to_json()
    house.records.put_project(project.key, training=given, bump=True)  # what serves was trained by others
    return house.project(project.key)


def _passing(house: House, project: Project, name: str, condition: str) -> frozenset[int]:
    try:
        parameters = RunParameters(filter=condition)
    except BadRequest as error:
        raise BadRequest(f"{option_named(name)}: {error}") from error
    return frozenset(task["id"] for task in select(house, project, parameters))
