"""The last network of a fine-tuning as a version, beside that of the best one: for who trusts the end of the road more.

It is made when somebody asks for it, from what the version of the best network was judged by.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from ..errors import BadRequest
from ..learning.head import Head
from ..learning.model import Model
from ..learning.tuning_lesson import Asked, TuningLesson
from ..store.rows import ModelVersion
from .choosing import parameters_of
from .examples import gather
from .house import House
from .own_encoder import OwnEncoder
from .progress import Progress
from .tuned_version import LAST, judged, model_of_network, write
from .tuning import is_over
from .tuning_subject import Subject


def last_version(house: House, project_key: str, name: str, progress: Progress) -> ModelVersion:
    """A candidate called `<name>-last`, which the gate has judged and not let serve.

    Raises BadRequest where the version was not fine-tuned, or its last network is its best.
    """
    project = house.project(project_key)
    best = house.version(project, name)
    own = OwnEncoder.of(best)
    if own is None or own.home.name != name or "tuning" not in best.parameters:
        raise BadRequest(f"{name} was not fine-tuned here, so it has no last network beside the best one")
    found = house.records.version(project_key, f"{name}-{LAST}")
    if found is not None and is_over(found):
        return found
    last = OwnEncoder(own.plugin, own.home / LAST)
    if not last.directory.exists():
        raise BadRequest(f"the last network of {name} is not there")
    ontology = house.ontology(project, (task.data for task in house.records.tasks(project_key)))
    if house.encoder(ontology, own=last).spec.digest == best.encoder["digest"]:
        raise BadRequest(f"the last network of {name} is its best one")
    examples = gather(house, project, parameters_of(project))
    subject = Subject(_lesson(house.model(Path(best.directory))), dict(examples.media), examples)
    model = model_of_network(house, subject, last, progress)
    row = ModelVersion(
        project_key=project_key,
        name=f"{name}-{LAST}",
        state="training",
        directory="",
        encoder={},
        ontology_fingerprint="",
        data_fingerprint="",
        metrics={},
        created_at=datetime.now(timezone.utc),
        parameters={name: value for name, value in best.parameters.items() if name != "job"},
        parent=project.served,
    )
    if found is None:  # else a kill came before the gate had judged it
        house.records.add_version(row)
    curves = best.metrics["tuning"]["curves"]
    return judged(house, project, write(house, project, row, model, subject, last, curves=curves), may_serve=False)


def _lesson(model: Model) -> TuningLesson:
    """What a tuned model was judged by."""
    trained = [head for head in model.heads.values() if head.trained]
    seen = np.zeros(len(model.rows), np.bool_)
    for head in trained:
        assert head.evidence is not None
        seen |= head.evidence.mask.any(axis=1) & ~head.evidence.counted.any(axis=1)
    return TuningLesson(
        model.ontology_fingerprint,
        model.data_fingerprint,
        model.seed,
        model.rows,
        seen,
        tuple(map(_asked, trained)),
        tuple(head for head in model.heads.values() if not head.trained),
    )


def _asked(head: Head) -> Asked:
    assert head.evidence is not None
    targets, mask = head.evidence.targets, head.evidence.mask
    if head.background:
        none = mask.all(axis=1) & ~(mask & (targets > 0.5)).any(axis=1)
        targets = np.column_stack([targets, none]).astype(np.float32)
        mask = np.column_stack([mask, mask.all(axis=1)])
    return Asked(
        head.classification,
        head.parent,
        head.options,
        head.exclusive,
        head.background,
        dict(head.counts),
        head.notes,
        targets,
        mask,
        np.ones(targets.shape, np.float32),
    )
