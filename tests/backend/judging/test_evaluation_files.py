"""Evaluation files: whole or not there, and refused in words where somebody changed them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from espalier.errors import BadModel
from espalier.judging.evaluation_files import load, save

SUMMARY = {"accuracy": 0.1 + 0.2, "nothing": None, "list": [1, 2.5]}


def arrays() -> dict[str, NDArray[np.generic]]:
    return {
        "steps/0/media": np.array(["b", "a", "b"]),
        "test/0/roc": np.array([[np.nan, np.inf], [1.0, 0.5]], np.float32),
        "empty": np.zeros(0, np.str_),
        "mask": np.array([True, False]),
    }


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    save(tmp_path / "evaluation", {"old": 1}, {})
    save(tmp_path / "evaluation", SUMMARY, arrays())
    summary, found = load(tmp_path / "evaluation")
    assert summary == SUMMARY
    assert found.keys() == arrays().keys()
    for name, array in arrays().items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype.kind == array.dtype.kind
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation"], "nothing is left beside it"


def test_what_is_no_json_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path / "evaluation", {"accuracy": float("nan")}, arrays())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["evaluation.json", "arrays.safetensors"])
def test_a_changed_file_is_refused_in_words(tmp_path: Path, name: str) -> None:
    save(tmp_path, SUMMARY, arrays())
    written = bytearray((tmp_path / name).read_bytes())
    at = written.index(b"2.5") if name.endswith("json") else -1
    written[at] ^= 1
    (tmp_path / name).write_bytes(written)
    with pytest.raises(BadModel, match=rf"{name} was changed after it was written; compute it anew"):
        load(tmp_path)


def test_a_missing_or_foreign_one_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="holds no evaluation that can be read"):
        load(tmp_path / "none")
    save(tmp_path, SUMMARY, arrays())
    (tmp_path / "evaluation.json").write_text("[]")
    with pytest.raises(BadModel, match="has format None and this Espalier reads 2"):
        load(tmp_path)
    (tmp_path / "evaluation.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(BadModel, match="has format 99"):
        load(tmp_path)
