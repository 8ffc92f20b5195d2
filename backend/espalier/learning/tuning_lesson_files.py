"""Tuning lessons on disk: a fine-tuning may take hours and be interrupted.

Meanwhile people go on answering, and what goes on must be what was begun.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from .head import untrained
from .rows import Located, Rows
from .tuning_lesson import Asked, Taught, TuningLesson

_ARRAYS, _ABOUT = "lesson.safetensors", "lesson.json"


def save(lesson: TuningLesson, directory: Path) -> None:
    """Into an existing directory; the last file that is written makes it whole."""
    arrays = {f"rows.{name}": array for name, array in vars(lesson.rows).items() if name != "media"}
    names, media = np.unique(lesson.rows.media, return_inverse=True)
    arrays |= {"rows.media": media.astype(np.int64), "seen": lesson.seen}
    for number, one in enumerate(lesson.asked):
        for name in ("targets", "mask", "weights"):
            arrays[f"{number}.{name}"] = getattr(one, name)
    about: dict[str, Any] = {
        "ontology_fingerprint": lesson.ontology_fingerprint,
        "data_fingerprint": lesson.data_fingerprint,
        "seed": lesson.seed,
        "media": names.tolist(),
        "asked": [one.about() for one in lesson.asked],
        "untrained": [
            [one.classification, list(one.parent), one.exclusive, [[list(o), n] for o, n in one.counts.items()],
             one.reason]
            for one in lesson.untrained
        ],
    }  # fmt: skip
    if lesson.taught is not None:
        about["unlabeled"] = lesson.taught.unlabeled.media.tolist()
        arrays["unlabeled"] = lesson.taught.unlabeled.frames
        for number in range(len(lesson.asked)):
            arrays[f"{number}.taught_targets"] = lesson.taught.targets[number]
            arrays[f"{number}.taught_mask"] = lesson.taught.masks[number]
            arrays[f"{number}.taught_weights"] = lesson.taught.weights[number]
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, directory / _ARRAYS)
    draft = directory / f".{_ABOUT}"
    draft.write_text(json.dumps(about))
    draft.rename(directory / _ABOUT)


def load(directory: Path) -> TuningLesson | None:
    """What `save` wrote; None where it did not come to its end."""
    if not (directory / _ABOUT).exists():
        return None
    about, arrays = json.loads((directory / _ABOUT).read_text()), load_file(directory / _ARRAYS)
    rows = {name: arrays[f"rows.{name}"] for name in ("frames", "groups", "folds", "parts")}
    asked = [
        Asked(
            one["classification"],
            tuple(one["parent"]),
            tuple(map(tuple, one["options"])),
            one["exclusive"],
            one["background"],
            {tuple(option): count for option, count in one["counts"]},
            tuple(one["notes"]),
            *(arrays[f"{number}.{name}"] for name in ("targets", "mask", "weights")),
        )
        for number, one in enumerate(about["asked"])
    ]
    taught = None
    if "unlabeled" in about:
        located = Located(np.array(about["unlabeled"], np.str_), arrays["unlabeled"])
        columns = [
            tuple(arrays[f"{number}.taught_{name}"] for number in range(len(asked)))
            for name in ("targets", "mask", "weights")
        ]
        taught = Taught(located, *columns)
    return TuningLesson(
        about["ontology_fingerprint"],
        about["data_fingerprint"],
        about["seed"],
        Rows(media=np.array(about["media"], np.str_)[arrays["rows.media"]], **rows),
        arrays["seen"],
        tuple(asked),
        tuple(
            untrained(name, tuple(parent), exclusive, {tuple(option): count for option, count in counts}, reason)
            for name, parent, exclusive, counts, reason in about["untrained"]
        ),
        taught,
    )
