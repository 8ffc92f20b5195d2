"""The JSON files of a bundle that people and other programs read: what the pictures must be like, and what scores mean.

Espalier itself reads `ontology.json`, the thresholds and the model; the others say the same in a form for anybody who
runs the ONNX network by itself.
"""

from __future__ import annotations

from typing import Any

from espalier_ontology.tree import Ontology

from ..contract import EncoderSpec
from ..judging.own_cutoffs import OwnCutoffs
from ..learning.model import Model
from .onnx_network import EMBEDDINGS, PICTURES


def preprocess(spec: EncoderSpec, networks: list[str]) -> dict[str, Any]:
    height, width = spec.input_size
    return {
        "networks": networks,
        "input": {"name": PICTURES, "dtype": "uint8", "shape": ["n", height, width, 3], "colours": "RGB"},
        "output": {"name": EMBEDDINGS, "dtype": "float32", "shape": ["n", spec.dim], "norm": 1.0},
        "orientation": "upright, as EXIF says",
        "transparency": "laid on white",
        "resize": {"to": [height, width], "how": "squash: the sides' ratio is not kept", "pictures": "bicubic with "
                   "antialiasing, after decoding at reduced size where JPEG allows it", "videos": "area"},
        "normalisation": "inside the network",
    }  # fmt: skip


def calibration(model: Model) -> dict[str, Any]:
    """How a head's raw scores become probabilities; the same values are in `model/model.json`."""
    return {
        "exclusive": "softmax(slope * log(max(score, 1e-6)))",
        "otherwise": "sigmoid(slope * logit(clip(score, 1e-6, 1 - 1e-6)) + shift)",
        "heads": [
            {
                "classification": head.classification,
                "parent": list(head.parent),
                "options": [list(option) for option in head.options],
                "exclusive": head.exclusive,
                "background": head.background,
                "slopes": head.calibration.slopes.tolist(),
                "shifts": head.calibration.shifts.tolist(),
            }
            for head in model.heads.values()
            if head.trained
        ],
    }


def thresholds(ontology: Ontology, model: Model, own: OwnCutoffs) -> dict[str, Any]:
    """The cutoff under which an option is not answered, and who chose it. own: what `from_json` reads again."""
    chosen = {(entry.classification, entry.option): entry.strategy for entry in own.entries}
    return {
        "cutoffs": [
            {
                "classification": key[0],
                "option": list(option),
                "cutoff": float(cutoff),
                "chosen_by": chosen.get((key[0], option), "training"),
            }
            for key, cutoffs in own.effective(ontology, model).items()
            for option, cutoff in zip(model.heads[key].options, cutoffs, strict=True)
        ],
        "own": own.to_json(),
    }
