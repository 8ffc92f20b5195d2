"""Ensembles: several versions of a project as one, which costs as much as all of them, and is judged like others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from ..errors import BadRequest
from ..judging.evaluation import evaluate
from ..learning.ensemble import ensemble_model
from ..learning.parts import PARTS, Part
from ..store.rows import ModelVersion, Project
from .cutoffs import apply_policy
from .ensemble_encoder import PLUGIN
from .house import House
from .own_encoder import MEMBERS, OwnEncoder
from .promotion import decide
from .training import encoder_json, next_name
from .version_files import EVALUATION, MODEL


def ensemble(house: House, project_key: str, names: Sequence[str], *, job: str = "") -> ModelVersion:
    """A candidate, which serves if the gate finds it better. Nothing is trained or embedded for it.

    job: that makes it; done again after a kill, it finds the one that it has made, and has it judged if need be.
    Raises BadRequest where there are fewer than two members, or one that cannot be averaged.
    """
    project = house.project(project_key)
    if (made := house.records.version_of(project_key, job)) is not None:
        return made if made.gate else _judged(house, project, made)
    members = [house.version(project, name) for name in dict.fromkeys(names)]
    if len(members) < 2:
        raise BadRequest("an ensemble has at least two different versions")
    for member in members:
        if not member.directory:
            raise BadRequest(f"{member.name} cannot be a member: it is {member.state}, and has no files")
    members.sort(key=lambda member: member.created_at, reverse=True)
    ontology = house.ontology(project, (task.data for task in house.records.tasks(project_key)))
    with house.queues.turn.alone(project_key):
        name = next_name(house.records.versions(project_key))
        directory = house.version_directory(project, name)
        own = OwnEncoder(PLUGIN, directory / "encoder")
        networks = [OwnEncoder.of(member) for member in members]
        named = house.named_encoder(ontology)
        own.directory.mkdir(parents=True, exist_ok=True)
        about = [{"plugin": "", "named": named} if one is None else one.to_json(own.directory) for one in networks]
        (own.directory / MEMBERS).write_text(json.dumps(about))
        OwnEncoder.write_parts(directory, _parts([one for one in networks if one is not None]))
        spec = house.encoder(ontology, own=own).spec
        models = [house.model(Path(member.directory)) for member in members]
        model = ensemble_model(models, [member.name for member in members], spec)
        model.save(directory / MODEL)
        evaluate(ontology, model, seed=model.seed).save(directory / EVALUATION)
        version = ModelVersion(
            project_key=project_key,
            name=name,
            state="candidate",
            directory=str(directory / MODEL),
            encoder=encoder_json(spec, own, directory),
            ontology_fingerprint=model.ontology_fingerprint,
            data_fingerprint=model.data_fingerprint,
            metrics=model.metrics(),
            created_at=datetime.now(timezone.utc),
            message=f"ensemble of {' and '.join(member.name for member in members)}",
            parameters={"ensemble": [member.name for member in members], **({"job": job} if job else {})},
            trained_on={
                "media": len(np.unique(model.rows.media)),
                "frames": len(model.rows),
                "parts": {part: int(model.rows.part(part).sum()) for part in PARTS},
                "label_config": project.label_config,
            },
            size_bytes=sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()),
            parent=project.served,
        )
        house.records.add_version(version)
        return _judged(house, project, version)


def _judged(house: House, project: Project, version: ModelVersion) -> ModelVersion:
    return decide(house, project, apply_policy(house, project, version), must_be_better=True)


def _parts(networks: Sequence[OwnEncoder]) -> dict[str, Part]:
    """What any member has learned from has been learned from."""
    found: dict[str, Part] = {}
    for network in networks:
        for media, part in network.parts().items():
            found[media] = min(part, found.get(media, part), key=PARTS.index)
    return found
