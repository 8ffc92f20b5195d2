"""The last model of a fine-tuning: what the network was when the learning ended, beside the best one that was kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from ..jobs.own_encoder import OwnEncoder
from ..jobs.tuned_version import LAST
from ..jobs.tuning_subject import head_name
from ..learning.model import Model
from ..learning.tuned_head import linear_of
from ..store.rows import ModelVersion


def last_model(version: ModelVersion, best: Model, own: OwnEncoder | None) -> tuple[Model, OwnEncoder] | None:
    """The best model with the last one's layers, and the last network; None where the version was not fine-tuned.

    Calibration and cutoffs are those of the best one: they are measured on frames that neither has learned from.
    """
    home = Path(version.directory).parent
    directory = home / LAST
    if own is None or own.home != home or not directory.is_dir():
        return None
    arrays = load_file(directory / "heads.safetensors")
    heads = dict(best.heads)
    trained = [key for key, head in best.heads.items() if head.trained]
    for number, key in enumerate(trained):
        layer = [arrays[f"{head_name(number)}.{what}"].astype(np.float32) for what in ("coefficients", "intercepts")]
        heads[key] = replace(heads[key], classifier=linear_of(layer[0], layer[1], exclusive=heads[key].exclusive))
    return replace(best, heads=heads), replace(own, directory=directory)
