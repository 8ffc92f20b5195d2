"""Evaluation files: figures as JSON, arrays as safetensors, and digests that say they are as they were written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as parse
from safetensors.numpy import save_file

from ..errors import BadModel
from ..whole_directory import replaced

FORMAT = 2
_FIGURES, _ARRAYS = "evaluation.json", "arrays.safetensors"
_REMEDY = "compute it anew with `espalier evaluate`"


def save(directory: Path, summary: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """The directory is whole or not there; one that is there is replaced.

    Raises ValueError for a number in the summary that JSON does not know (NaN, infinity).
    """
    with replaced(directory) as draft:
        names = {}
        numbers = {}
        for name, array in arrays.items():
            if array.dtype.kind == "U":  # safetensors knows no text: each word once, and which of them stands where
                words, array = np.unique(array, return_inverse=True)
                names[name] = words.tolist()
            numbers[name] = np.ascontiguousarray(array)
        save_file(numbers, draft / _ARRAYS)
        about: dict[str, Any] = {
            "format": FORMAT,
            "summary": summary,
            "words": names,
            "arrays": hashlib.sha256((draft / _ARRAYS).read_bytes()).hexdigest(),
        }
        about["digest"] = _digest(about)
        (draft / _FIGURES).write_text(json.dumps(about, allow_nan=False))


def load(directory: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """Summary and arrays. Raises BadModel where they are not, byte for byte, what `save` wrote."""
    try:
        about = json.loads((directory / _FIGURES).read_text())
        written = (directory / _ARRAYS).read_bytes()
    except (OSError, ValueError) as error:
        raise BadModel(f"{directory} holds no evaluation that can be read ({error}); {_REMEDY}") from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        found = about.get("format") if isinstance(about, dict) else None
        raise BadModel(f"{directory} has format {found!r} and this Espalier reads {FORMAT}; {_REMEDY}")
    if about.get("digest") != _digest({name: value for name, value in about.items() if name != "digest"}):
        raise BadModel(f"{directory}/{_FIGURES} was changed after it was written; {_REMEDY}")
    if about["arrays"] != hashlib.sha256(written).hexdigest():
        raise BadModel(f"{directory}/{_ARRAYS} was changed after it was written; {_REMEDY}")
    arrays: dict[str, NDArray[np.generic]] = dict(parse(written))
    for name, words in about["words"].items():
        arrays[name] = np.array(words, np.str_)[arrays[name]] if words else np.zeros(0, np.str_)
    return about["summary"], arrays


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
