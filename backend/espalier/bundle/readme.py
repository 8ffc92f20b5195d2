"""README.txt: what a person finds who opens a bundle years later."""

from __future__ import annotations

from espalier_ontology.tree import Ontology

from .manifest import Manifest


def readme(manifest: Manifest, ontology: Ontology, networks: list[str]) -> str:
    asked = "\n".join(
        f"  {one.name}: {', '.join(' / '.join(option.path) for option in one.options[:12])}"
        + (f" and {len(one.options) - 12} more" if len(one.options) > 12 else "")
        for one in ontology
    )
    measured = "\n".join(f"  {name}: {_measured(found)}" for name, found in manifest.measured.items())
    encoder = manifest.models["best"]["encoder"]
    return f"""{manifest.name}

Model version {manifest.version} of the project {manifest.project!r}, written by Espalier {manifest.espalier}.
It answers these questions about pictures and videos:

{asked}

To use it (no Label Studio, queue, torch or network is needed):

  pip install 'label-studio-espalier[bundle]'
  espalier bundle serve THIS_DIRECTORY
  curl -F file=@picture.jpg http://127.0.0.1:9091/predict
  espalier bundle predict THIS_DIRECTORY PICTURES --format csv --to answers.csv

Encoder: {encoder["name"]} (licence: {encoder["licence"]}){_unneeded(networks)}
By default it computes in {manifest.precision}. Measured on frames of its own project:

{measured or "  nothing could be measured: the project's frames could not be read"}

  manifest.json     who made it of what, and the SHA-256 of every file; a changed file is refused
  network*.onnx     uint8 pictures in, float32 embeddings of norm 1 out
  preprocess.json   what the pictures must be like
  model/            the classifiers on the embeddings (safetensors and JSON)
  calibration.json  how their scores become probabilities
  thresholds.json   how sure an answer must be
  labels.json       every option with its number; ontology.json: the same with all conditions
  label_config.xml  the labeling configuration, for Label Studio
  metrics.json      how good the model was, and on how many frames
"""


def _measured(found: object) -> str:
    if not isinstance(found, dict) or "agreement" not in found:
        return str(found)
    other = found["against"].partition(":")[0]
    return (
        f"{found['agreement']:.1%} of {found['frames']} frames answered as by {other}, scores differ by at most "
        f"{found['score_difference_max']:.4f}" + (f"; {found['way']} in 8 bits" if "way" in found else "")
    )


def _unneeded(networks: list[str]) -> str:
    return "" if networks else ": part of Espalier itself, so that no network is in here"
