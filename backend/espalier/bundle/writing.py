"""Writing the bundle of a model version, and measuring on the project's own frames how far it answers the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from espalier_ontology.tree import Ontology

from .. import __version__
from ..contract import Pictures
from ..errors import BadRequest
from ..jobs.configurations import todays
from ..jobs.evaluating import evaluation_of
from ..jobs.house import House
from ..jobs.label_mappings import held
from ..store.rows import ModelVersion, Project
from . import ontology_file
from .agreement import Agreement, agreement
from .archive import pack
from .descriptions import calibration, preprocess
from .manifest import NAME, Manifest, entry_of
from .network import open_network
from .onnx_network import OnnxNetwork
from .part import Part, parts_of, write_part
from .project_frames import ProjectFrames, encoded, project_frames
from .quantising import WEIGHTS, Quantised, quantise, quantise_weights
from .readme import readme

ENOUGH = 0.99
"""Under this share of equal answers an INT8 network is not what answers by default."""


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
    parts = parts_of(house, project, version, ontology, progress)
    best = parts[0]
    progress("reading some of the project's frames")
    frames = project_frames(house, project, ontology, best.encoder.spec.input_size)
    models: dict[str, dict[str, Any]] = {}
    measured: dict[str, Any] = {}
    for part in parts:
        progress(f"writing the {part.which} model")
        models[part.which] = write_part(draft, part, ontology)
        if list(draft.glob("*.onnx")) and len(frames.apart):
            rows = encoded(open_network(draft, models[part.which], "fp32"), frames.apart)
            cutoffs = part.own.effective(ontology, part.model)
            found = agreement(ontology, part.model, cutoffs, encoded(part.encoder, frames.apart), rows)
            name = "fp32" if part.which == "best" else f"fp32 ({part.which})"
            measured[name] = {**found.to_json(), "against": f"the house: {part.encoder.spec.reason}"}
    precision = "fp32"
    if int8:
        if "network" not in models["best"]:
            raise BadRequest(f"{best.encoder.spec.name} is not one network: leave --int8 out")
        progress("computing in 8 bits")
        measured["int8"] = _write_int8(draft, best, ontology, frames)
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
    (draft / "README.txt").write_text(readme(manifest, ontology, networks))
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    manifest = replace(manifest, files={path.relative_to(draft).as_posix(): entry_of(path) for path in files})
    (draft / NAME).write_bytes(manifest.to_bytes())
    return manifest


def _write_int8(draft: Path, part: Part, ontology: Ontology, frames: ProjectFrames) -> dict[str, Any]:
    """Compared with what the fp32 network answers, on frames that neither set a scale nor were chosen by.

    Not with the house, which may compute in bf16: of two roundings, each would be blamed for the other's.
    """
    cutoffs = part.own.effective(ontology, part.model)
    original, path = draft / "network.onnx", draft / "network-int8.onnx"
    exact = OnnxNetwork(original, part.encoder.spec)

    def compared(pictures: Pictures) -> Agreement:
        rows = OnnxNetwork(path, part.encoder.spec).encode(pictures)
        return agreement(ontology, part.model, cutoffs, exact.encode(pictures), rows)

    made = quantise(original, path, frames.scales, frames.choosing, lambda: compared(frames.choosing).answers)
    found = compared(frames.judging)
    if found.answers < ENOUGH and made.way != WEIGHTS:  # the frames to choose by were kind to it
        tried = {**made.tried, f"{made.way}, on other frames": found.answers}
        quantise_weights(original, path)
        made, found = Quantised(WEIGHTS, tried), compared(frames.judging)
    return {**found.to_json(), "way": made.way, "tried": made.tried, "against": "the fp32 network"}


def _ontology(house: House, project: Project, version: ModelVersion) -> Ontology:
    ontology = todays(house, project)
    since = [mapping for mapping in held(house, project) if mapping.holds(ontology, version.created_at)]
    if since:
        raise BadRequest(
            f"{version.name} does not know what {since[0].shown(since[0].old)} is called today: "
            f"train again, and take that version away"
        )
    return ontology


def size_of(path: Path) -> int:
    """Bytes on disk, of a directory or a file."""
    files = [path] if path.is_file() else [found for found in path.rglob("*") if found.is_file()]
    return sum(file.stat().st_size for file in files)
