"""Writing the bundle of a model version, and measuring on the project's own frames how far it answers the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from espalier_ontology.tree import Ontology

from .. import __version__
from ..contract import EncoderSpec, OnnxEncoder
from ..errors import BadRequest
from ..jobs.configurations import todays
from ..jobs.evaluating import evaluation_of
from ..jobs.house import House
from ..jobs.label_mappings import held
from ..jobs.own_encoder import OwnEncoder
from ..learning.cutoffs import Cutoffs
from ..learning.model import Model
from ..learning.own_cutoffs import OwnCutoffs
from ..learning.questions import Key
from ..learning.rows import Rows
from ..plugins.checked import CheckedEncoder
from ..store.rows import ModelVersion, Project
from . import ontology_file
from .agreement import Agreement, agreement
from .archive import pack
from .descriptions import calibration, preprocess, thresholds
from .last_model import last_model
from .manifest import NAME, Manifest, entry_of
from .network import OnnxNetwork
from .project_frames import ProjectFrames, encoded, project_frames
from .quantising import WEIGHTS, Quantised, quantise, quantise_weights
from .readme import readme

ENOUGH = 0.99
"""Under this share of equal answers an INT8 network is not what answers by default."""
PACKAGED = ("classic",)
"""Encoders that are part of Espalier, and need no network."""


@dataclass(frozen=True)
class Part:
    """One model of the bundle: the best, or the last one of a fine-tuning."""

    which: str
    model: Model
    encoder: CheckedEncoder


def write(
    house: House,
    project: Project,
    version: ModelVersion,
    to: Path,
    *,
    int8: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write it to a directory, or a ZIP where `to` ends with .zip; one that is there is refused.

    Raises BadRequest for what cannot be taken away, BadSetting where what writes networks is not installed.
    """
    if to.exists():
        raise BadRequest(f"{to} is there already: remove it, or name another place")
    if not version.directory:
        raise BadRequest(f"the files of {version.name} were removed, or it has not been trained yet")
    ontology = _ontology(house, project, version)
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".espalier-bundle-") as scratch:
        draft = Path(scratch) / "bundle"
        draft.mkdir()
        manifest = _fill(house, project, version, ontology, draft, int8, progress)
        if to.suffix == ".zip":
            progress("packing")
            pack(draft, to)
        else:
            draft.rename(to)
    return manifest


def _fill(
    house: House,
    project: Project,
    version: ModelVersion,
    ontology: Ontology,
    draft: Path,
    int8: bool,
    progress: Callable[[str], None],
) -> Manifest:
    parts = _parts(house, version, ontology)
    best = parts[0]
    own = OwnCutoffs.from_json(version.cutoffs)
    progress("reading some of the project's frames")
    frames = project_frames(house, project, ontology, best.encoder.spec.input_size)
    models: dict[str, dict[str, Any]] = {}
    measured: dict[str, Any] = {}
    for part in parts:
        progress(f"writing the {part.which} model")
        models[part.which] = _write_part(draft, part, ontology, own)
        if "network" in models[part.which] and len(frames.apart):
            rows = OnnxNetwork(draft / models[part.which]["network"], part.encoder.spec).encode(frames.apart)
            cutoffs = own.effective(ontology, part.model)
            found = agreement(ontology, part.model, cutoffs, encoded(part.encoder, frames.apart), rows)
            name = "fp32" if part.which == "best" else f"fp32 ({part.which})"
            measured[name] = {**found.to_json(), "against": part.encoder.spec.reason}
    precision = "fp32"
    if int8:
        if "network" not in models["best"]:
            raise BadRequest(f"{best.encoder.spec.name} is no network: leave --int8 out")
        progress("computing in 8 bits")
        measured["int8"] = _write_int8(draft, best, ontology, own.effective(ontology, best.model), frames)
        models["best"]["network_int8"] = "network-int8.onnx"
        precision = "int8" if measured["int8"]["agreement"] >= ENOUGH else "fp32"
    metrics = {"measured_in_the_bundle": measured, "evaluation": evaluation_of(house, project, version).summary}
    networks = sorted(path.name for path in draft.glob("*.onnx"))
    for name, value in {
        "labels": ontology_file.labels(ontology, best.model),
        "ontology": ontology_file.to_json(ontology),
        "preprocess": preprocess(best.encoder.spec, networks),
        "calibration": calibration(best.model),
        "metrics": {**version.metrics, **metrics},
    }.items():
        (draft / f"{name}.json").write_text(json.dumps(value, indent=1, ensure_ascii=False))
    (draft / "label_config.xml").write_text(project.label_config)
    title = project.title or f"project {project.id}"
    manifest = Manifest(
        name=f"{title}, {version.name}",
        project=title,
        version=version.name,
        espalier=__version__,
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        models=models,
        precision=precision,
        measured=measured,
        seed=best.model.seed,
        ontology_fingerprint=ontology.fingerprint,
        data_fingerprint=version.data_fingerprint,
    )
    (draft / "README.txt").write_text(readme(manifest, ontology))
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    manifest = replace(manifest, files={path.relative_to(draft).as_posix(): entry_of(path) for path in files})
    (draft / NAME).write_bytes(manifest.to_bytes())
    return manifest


def _parts(house: House, version: ModelVersion, ontology: Ontology) -> list[Part]:
    model, own = house.model(Path(version.directory)), OwnEncoder.of(version)
    encoder = house.encoder(ontology, own=own)
    if encoder.spec.digest != model.encoder.digest:
        raise BadRequest(
            f"{version.name} was trained on embeddings of {model.encoder.name}, and here is {encoder.spec.name}: "
            f"set ESPALIER_ENCODER and ESPALIER_PRECISION back, or train again"
        )
    parts = [Part("best", model, encoder)]
    last = last_model(version, model, own)
    if last is not None:
        layers, directory = last
        opened = house.encoder(ontology, own=directory)
        parts.append(Part("last", replace(layers, encoder=opened.spec), opened))
    return parts


def _write_part(draft: Path, part: Part, ontology: Ontology, own: OwnCutoffs) -> dict[str, Any]:
    tail = "" if part.which == "best" else f"-{part.which}"
    written: dict[str, Any] = {"model": f"model{tail}", "thresholds": f"thresholds{tail}.json"}
    encoder = part.encoder.encoder
    if isinstance(encoder, OnnxEncoder):
        written["network"] = f"network{tail}.onnx"
        encoder.export_onnx(draft / written["network"])
    elif part.encoder.plugin not in PACKAGED:
        raise BadRequest(
            f"the encoder {part.encoder.plugin!r} cannot be taken away: its author must give it `export_onnx` "
            f"(espalier.contract.OnnxEncoder)"
        )
    # What it was trained and judged on stays in the house.
    heads = {key: replace(head, evidence=None, steps=None) for key, head in part.model.heads.items()}
    replace(part.model, heads=heads, rows=Rows.none()).save(draft / written["model"])
    value = thresholds(ontology, part.model, own)
    (draft / written["thresholds"]).write_text(json.dumps(value, indent=1, ensure_ascii=False))
    return {**written, "encoder": _about(part.encoder.spec, part.encoder.plugin)}


def _write_int8(
    draft: Path, part: Part, ontology: Ontology, cutoffs: dict[Key, Cutoffs], frames: ProjectFrames
) -> dict[str, Any]:
    """Compared with what the house answers, on frames that neither set a scale nor were chosen by."""
    path = draft / "network-int8.onnx"
    chosen_by = encoded(part.encoder, frames.choosing) if len(frames.choosing) else None

    def agrees(network: Path) -> float:
        assert chosen_by is not None
        rows = OnnxNetwork(network, part.encoder.spec).encode(frames.choosing)
        return agreement(ontology, part.model, cutoffs, chosen_by, rows).answers

    def judged() -> Agreement:
        rows = OnnxNetwork(path, part.encoder.spec).encode(frames.judging)
        return agreement(ontology, part.model, cutoffs, house_rows, rows)

    house_rows = encoded(part.encoder, frames.judging)
    made = quantise(draft / "network.onnx", path, frames.scales, agrees, choosing=len(frames.choosing))
    found = judged()
    if found.answers < ENOUGH and made.way != WEIGHTS:  # the frames to choose by were kind to it
        tried = {**made.tried, f"{made.way}, on other frames": found.answers}
        quantise_weights(draft / "network.onnx", path)
        made, found = Quantised(WEIGHTS, tried), judged()
    return {**found.to_json(), "way": made.way, "tried": made.tried, "against": part.encoder.spec.reason}


def _ontology(house: House, project: Project, version: ModelVersion) -> Ontology:
    ontology = todays(house, project)
    since = [mapping for mapping in held(house, project) if mapping.holds(ontology, version.created_at)]
    if since:
        raise BadRequest(
            f"{version.name} does not know what {since[0].shown(since[0].old)} is called today: "
            f"train again, and take that version away"
        )
    return ontology


def _about(spec: EncoderSpec, plugin: str) -> dict[str, Any]:
    about = asdict(spec)
    del about["reason"]
    return {**about, "input_size": list(spec.input_size), "plugin": plugin}


def size_of(path: Path) -> int:
    """Bytes on disk, of a directory or a file."""
    files = [path] if path.is_file() else [found for found in path.rglob("*") if found.is_file()]
    return sum(file.stat().st_size for file in files)
