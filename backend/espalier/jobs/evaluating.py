"""The evaluation of a version: the one that was kept, or a new one where that is missing or its cutoffs changed."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from espalier_ontology.tree import Ontology

from ..errors import BadModel
from ..judging.evaluation import Evaluation, evaluate
from ..judging.own_cutoffs import OwnCutoffs
from ..store.rows import ModelVersion, Project
from .configurations import LABEL_CONFIG
from .house import House
from .version_files import EVALUATION

log = logging.getLogger(__name__)


def evaluation_of(house: House, project: Project, version: ModelVersion) -> Evaluation:
    """By the cutoffs that the version answers by now, and the ontology that it was trained for.

    One that cannot be read is computed anew and kept. Raises BadModel where the version itself cannot be read.
    """
    model = house.model(Path(version.directory))
    ontology = _ontology(house, project, version)
    cutoffs = OwnCutoffs.from_json(version.cutoffs).effective(ontology, model)
    directory = evaluation_directory(version)
    try:
        kept = Evaluation.load(directory)
    except BadModel as reason:
        if directory.exists():
            log.warning("%s: %s", version.name, reason)
        computed = evaluate(ontology, model, cutoffs=cutoffs, seed=model.seed)
        computed.save(directory)
        return computed
    if kept.is_of(ontology, model, cutoffs):
        return kept
    return evaluate(ontology, model, cutoffs=cutoffs, seed=model.seed)


def evaluation_directory(version: ModelVersion) -> Path:
    """Beside the model."""
    return Path(version.directory).parent / EVALUATION


def _ontology(house: House, project: Project, version: ModelVersion) -> Ontology:
    """As it was when the version was trained, with every option that any task lists."""
    written = version.trained_on.get(LABEL_CONFIG)
    then = replace(project, label_config=written) if isinstance(written, str) else project
    return house.ontology(then, (task.data for task in house.records.tasks(project.key)))
