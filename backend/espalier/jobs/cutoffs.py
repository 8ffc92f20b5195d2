"""Cutoffs by a person's policy: kept with the project, worked out for the version that serves, and in force at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espalier_ontology.tree import Ontology

from ..judging.cutoff_figures import cutoff_figures
from ..judging.cutoff_policy import CutoffPolicy
from ..judging.own_cutoffs import OwnCutoffs
from ..learning.model import Model
from ..store.rows import ModelVersion, Project
from .evaluating import evaluation_of
from .house import House


@dataclass(frozen=True)
class CutoffsNow:
    """The policy in force, what it gives each option of a version, and what these cutoffs do on stored scores.

    version is None where none serves yet; then there is nothing but the policy. figures: see `cutoff_figures`.
    """

    policy: CutoffPolicy
    version: str | None = None
    own: OwnCutoffs = OwnCutoffs()
    figures: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Change:
    """metrics: the summary of the version's evaluation by the new cutoffs, {} without a version."""

    before: CutoffsNow
    after: CutoffsNow
    metrics: dict[str, Any]
    dropped: int = 0
    """Kept predictions that were decided by the old cutoffs, and are made anew when they are asked for."""


def policy_of(project: Project) -> CutoffPolicy:
    return CutoffPolicy.from_json(project.cutoffs)


def cutoffs_now(house: House, project: Project) -> CutoffsNow:
    """As they are in force for the version that serves."""
    policy = policy_of(project)
    version = house.records.version(project.key, project.served) if project.served else None
    if version is None:
        return CutoffsNow(policy)
    model = house.model(Path(version.directory))
    return _now(policy, version.name, OwnCutoffs.from_json(version.cutoffs), _ontology(house, project), model)


def set_policy(house: House, project: Project, policy: CutoffPolicy) -> Change:
    """Keep the policy for every version to come, and let the one that serves answer by it from now on.

    Raises BadRequest for what the project does not ask. Predictions that Label Studio holds stay as they are until they
    are retrieved again.
    """
    ontology = _ontology(house, project)
    policy.check(ontology)
    before = cutoffs_now(house, project)
    project = house.records.put_project(project.key, cutoffs=policy.to_json())
    version = house.records.version(project.key, project.served) if project.served else None
    if version is None:
        return Change(before, CutoffsNow(policy), {})
    version = apply_policy(house, project, version)
    model, own = house.model(Path(version.directory)), OwnCutoffs.from_json(version.cutoffs)
    dropped = house.records.drop_predictions(project.key, version.name)
    metrics = evaluation_of(house, project, version).summary
    return Change(before, _now(policy, version.name, own, ontology, model), metrics, dropped)


def apply_policy(house: House, project: Project, version: ModelVersion) -> ModelVersion:
    """The version with the cutoffs that the project's policy gives it; names that it does not know say nothing."""
    own = policy_of(project).own(house.model(Path(version.directory)))
    return house.records.set_version(project.key, version.name, cutoffs=own.to_json())


def _now(policy: CutoffPolicy, version: str, own: OwnCutoffs, ontology: Ontology, model: Model) -> CutoffsNow:
    return CutoffsNow(policy, version, own, tuple(cutoff_figures(model, own.effective(ontology, model))))


def _ontology(house: House, project: Project) -> Ontology:
    return house.ontology(project, (task.data for task in house.records.tasks(project.key)))
