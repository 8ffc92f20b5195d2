"""The parts of a bundle that compute: a model with its encoder, the best, or the last one of a fine-tuning."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from espalier_ontology.tree import Ontology

from ..contract import OnnxEncoder
from ..errors import BadRequest
from ..jobs.ensemble_encoder import EnsembleEncoder
from ..jobs.house import House
from ..jobs.last_version import last_version
from ..jobs.own_encoder import OwnEncoder
from ..jobs.progress import Progress
from ..judging.own_cutoffs import OwnCutoffs
from ..learning.model import Model
from ..learning.rows import Rows
from ..plugins.checked import CheckedEncoder
from ..store.rows import ModelVersion, Project
from .descriptions import thresholds

PACKAGED = ("classic",)
"""Encoders that are part of Espalier, and need no network."""


@dataclass(frozen=True)
class Part:
    """which: `best` or `last`. own: the cutoffs that hold instead of those of training."""

    which: str
    model: Model
    encoder: CheckedEncoder
    own: OwnCutoffs


def parts_of(
    house: House, project: Project, version: ModelVersion, ontology: Ontology, progress: Callable[[str], None]
) -> list[Part]:
    """The best first. Raises BadRequest where the encoder in the house is not the one that it was trained with."""
    parts = [_part(house, "best", version, ontology)]
    own = OwnEncoder.of(version)
    if own is not None and own.home.name == version.name and "tuning" in version.parameters:
        progress("calibrating the last network of the fine-tuning")
        with suppress(BadRequest):  # the last is the best one, or a cancelled fine-tuning has left none
            parts.append(_part(house, "last", last_version(house, project.key, version.name, Progress()), ontology))
    return parts


def write_part(draft: Path, part: Part, ontology: Ontology) -> dict[str, Any]:
    """What the manifest says of it, with its files. Raises BadRequest for an encoder that cannot be taken away."""
    tail = "" if part.which == "best" else f"-{part.which}"
    written: dict[str, Any] = {"model": f"model{tail}", "thresholds": f"thresholds{tail}.json"}
    inner = part.encoder.encoder
    if isinstance(inner, EnsembleEncoder):
        written["members"] = [
            _written(draft, f"network{tail}-{number}.onnx", member)
            for number, member in enumerate(inner.members, 1)
            if isinstance(member, CheckedEncoder)
        ]
    # What it was trained and judged on stays in the house.
    heads = {key: replace(head, evidence=None, steps=None) for key, head in part.model.heads.items()}
    replace(part.model, heads=heads, rows=Rows.none()).save(draft / written["model"])
    value = thresholds(ontology, part.model, part.own)
    (draft / written["thresholds"]).write_text(json.dumps(value, indent=1, ensure_ascii=False))
    if "members" in written:
        return {**written, "encoder": _about(part.encoder)}
    return {**written, **_written(draft, f"network{tail}.onnx", part.encoder)}


def _part(house: House, which: str, version: ModelVersion, ontology: Ontology) -> Part:
    model = house.model(Path(version.directory))
    encoder = house.encoder(ontology, own=OwnEncoder.of(version))
    if encoder.spec.digest != model.encoder.digest:
        raise BadRequest(
            f"{version.name} was trained on embeddings of {model.encoder.name}, and here is {encoder.spec.name}: "
            f"set ESPALIER_ENCODER and ESPALIER_PRECISION back, or train again"
        )
    return Part(which, model, encoder, OwnCutoffs.from_json(version.cutoffs))


def _written(draft: Path, name: str, encoder: CheckedEncoder) -> dict[str, Any]:
    """An encoder's network, if it needs one, and what is known of it."""
    written: dict[str, Any] = {"encoder": _about(encoder)}
    if isinstance(encoder.encoder, OnnxEncoder):
        encoder.encoder.export_onnx(draft / name)
        written["network"] = name
    elif encoder.plugin not in PACKAGED:
        raise BadRequest(
            f"the encoder {encoder.plugin!r} cannot be taken away: its author must give it `export_onnx` "
            f"(espalier.contract.OnnxEncoder)"
        )
    return written


def _about(encoder: CheckedEncoder) -> dict[str, Any]:
    about = asdict(encoder.spec)
    del about["reason"]
    return {**about, "input_size": list(encoder.spec.input_size), "plugin": encoder.plugin}
