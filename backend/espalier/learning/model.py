"""The model of one version: a head for every question of one ontology, on the embeddings of one encoder.

On disk it is safetensors and JSON alone. `model.json` carries a digest of itself and of every other file, so that a
directory that was changed, cut short or made by something else is refused before anything in it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from ..contract import Classifier, Embeddings, EncoderSpec, Scores
from ..errors import BadModel
from ..whole_directory import replaced
from .calibration import Calibration
from .head import Evidence, Head, Steps
from .linear import LinearClassifier
from .questions import Key
from .rows import Rows

FORMAT = 2
LoadClassifier = Callable[[str, Path], Classifier]
"""From a plugin's name and a directory to the classifier that was saved there."""


def load_linear(plugin: str, directory: Path) -> Classifier:
    """The classifier that is always there."""
    if plugin != "linear":
        raise BadModel(f"{directory} needs the classifier plugin {plugin!r}, which is not installed; install it")
    return LinearClassifier.load(directory)


@dataclass(frozen=True)
class Model:
    """heads: by classification and parent path, trained or with the reason why not, in the ontology's order."""

    ontology_fingerprint: str
    data_fingerprint: str
    encoder: EncoderSpec
    seed: int
    heads: Mapping[Key, Head] = field(default_factory=dict)
    rows: Rows = field(default_factory=Rows.none)
    """What it was trained and judged on; the evidence of every head has one row for each."""

    def scores(self, embeddings: Embeddings) -> dict[Key, Scores]:
        """Calibrated scores float32 (n, k) of every trained head; embeddings float32 (n, encoder.dim)."""
        if embeddings.shape[1:] != (self.encoder.dim,):
            raise ValueError(
                f"embeddings must be (n, {self.encoder.dim}) of {self.encoder.name}, got {embeddings.shape}"
            )
        return {key: head.scores(embeddings) for key, head in self.heads.items() if head.trained}

    def metrics(self) -> dict[str, Any]:
        """Plain JSON values: one summary per question, and the mean over them of what can be averaged."""
        measured = [head.metrics for head in self.heads.values() if "accuracy" in head.metrics]
        means = {
            name: float(np.mean([metrics[name] for metrics in measured]))
            for name in ("accuracy", "macro_f1", "ece", "coverage")
            if measured
        }
        return {**means, "questions": [head.summary() for head in self.heads.values()]}

    def save(self, directory: Path) -> None:
        """The directory is whole or not there; one that is there is replaced."""
        with replaced(directory) as draft:
            _write_rows(self.rows, draft)
            heads = [_write_head(head, draft / f"{number:03d}") for number, head in enumerate(self.heads.values())]
            about: dict[str, Any] = {
                "format": FORMAT,
                "ontology_fingerprint": self.ontology_fingerprint,
                "data_fingerprint": self.data_fingerprint,
                "encoder": asdict(self.encoder),
                "seed": self.seed,
                "heads": heads,
                "files": _digests(draft),
            }
            about["digest"] = _digest_of(about)
            (draft / "model.json").write_text(json.dumps(about, indent=1))

    @classmethod
    def load(cls, directory: Path, *, load_classifier: LoadClassifier = load_linear) -> Model:
        """Raises BadModel where the directory is not, byte for byte, what `save` wrote."""
        about = _verified(directory)
        spec = about["encoder"]
        heads = [
            _read_head(written, directory / f"{number:03d}", load_classifier)
            for number, written in enumerate(about["heads"])
        ]
        return cls(
            about["ontology_fingerprint"],
            about["data_fingerprint"],
            EncoderSpec(**{**spec, "input_size": tuple(spec["input_size"])}),
            about["seed"],
            {head.key: head for head in heads},
            _read_rows(directory),
        )


def _verified(directory: Path) -> dict[str, Any]:
    try:
        about = json.loads((directory / "model.json").read_text())
    except (OSError, ValueError) as error:
        raise BadModel(f"{directory} is no model version: model.json cannot be read ({error}); train again") from error
    if not isinstance(about, dict) or "digest" not in about:
        raise BadModel(f"{directory} is no model version: model.json is not one of Espalier's; train again")
    if about.get("format") != FORMAT:
        raise BadModel(
            f"{directory} has format {about.get('format')!r} and this Espalier reads {FORMAT}; train again to renew it"
        )
    if about["digest"] != _digest_of({name: value for name, value in about.items() if name != "digest"}):
        raise BadModel(f"{directory}/model.json was changed after it was written; put it back, or train again")
    found = _digests(directory)
    for name in sorted(found.keys() | about["files"].keys()):
        if found.get(name) != about["files"].get(name):
            state = "missing" if name not in found else "not its own" if name not in about["files"] else "changed"
            raise BadModel(f"{directory} is not as it was written: {name} is {state}; put it back, or train again")
    return about


def _digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path != directory / "model.json"
    }


def _digest_of(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _write_rows(rows: Rows, directory: Path) -> None:
    names, media = np.unique(rows.media, return_inverse=True)
    arrays = {name: value for name, value in vars(rows).items() if name != "media"}
    _write_arrays({**arrays, "media": media.astype(np.int64)}, directory / "rows.safetensors")
    (directory / "media.json").write_text(json.dumps(names.tolist()))


def _read_rows(directory: Path) -> Rows:
    arrays = load_file(directory / "rows.safetensors")
    names = np.array(json.loads((directory / "media.json").read_text()), np.str_)
    media = arrays.pop("media")
    return Rows(media=names[media] if len(names) else names.astype(np.str_), **arrays)


def _write_arrays(arrays: Mapping[str, Any], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def _write_head(head: Head, directory: Path) -> dict[str, Any]:
    if head.classifier is not None:
        (directory / "classifier").mkdir(parents=True)
        head.classifier.save(directory / "classifier")
    if head.evidence is not None:
        _write_arrays(vars(head.evidence), directory / "evidence.safetensors")
    if head.steps is not None:
        _write_arrays(vars(head.steps), directory / "steps.safetensors")
    return {
        "classification": head.classification,
        "parent": head.parent,
        "options": head.options,
        "exclusive": head.exclusive,
        "plugin": head.plugin,
        "slopes": head.calibration.slopes.tolist(),
        "shifts": head.calibration.shifts.tolist(),
        "cutoffs": head.cutoffs.tolist(),
        "counts": list(head.counts.items()),
        "metrics": head.metrics,
        "per_option": list(head.per_option.items()),
        "reason": head.reason,
        "notes": head.notes,
        "evidence": head.evidence is not None,
        "steps": head.steps is not None,
        "background": head.background,
        "parameters": dict(head.parameters),
    }


def _read_head(written: Mapping[str, Any], directory: Path, load_classifier: LoadClassifier) -> Head:
    exclusive = bool(written["exclusive"])
    evidence = Evidence(**load_file(directory / "evidence.safetensors")) if written["evidence"] else None
    steps = Steps(**load_file(directory / "steps.safetensors")) if written["steps"] else None
    return Head(
        written["classification"],
        tuple(written["parent"]),
        tuple(tuple(option) for option in written["options"]),
        exclusive,
        written["plugin"],
        load_classifier(written["plugin"], directory / "classifier") if written["plugin"] else None,
        Calibration(exclusive, np.array(written["slopes"], np.float64), np.array(written["shifts"], np.float64)),
        np.array(written["cutoffs"], np.float64),
        {tuple(option): count for option, count in written["counts"]},
        written["metrics"],
        {tuple(option): metrics for option, metrics in written["per_option"]},
        written["reason"],
        tuple(written["notes"]),
        evidence,
        steps,
        bool(written["background"]),
        written["parameters"],
    )
