"""The rules of the contract as checks on arrays: each raises BrokenPlugin naming plugin, rule and value."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import EncoderSpec
from ..errors import BrokenPlugin

MEMBERS = {
    "encoder": ("open", "encode"),
    "classifier": ("fit", "predict", "save", "load"),
    "index": ("open", "drop", "add", "remove", "search", "ids", "report", "save", "close"),
    "tuner": ("open", "estimate", "tune"),
}
TOLERANCE = 1e-3


def missing_members(role: str, plugin: type[Any]) -> list[str]:
    """The methods of the role that the class does not have."""
    return [name for name in MEMBERS[role] if not callable(getattr(plugin, name, None))]


def check_spec(plugin: str, spec: object) -> EncoderSpec:
    """A name, a positive dim, a positive (height, width), and 16 or more hex digits."""
    if not isinstance(spec, EncoderSpec):
        raise BrokenPlugin(plugin, "spec is an EncoderSpec", type(spec).__name__)
    if not spec.name:
        raise BrokenPlugin(plugin, "spec.name is not empty", repr(spec.name))
    if not isinstance(spec.dim, int) or spec.dim < 1:
        raise BrokenPlugin(plugin, "spec.dim is an int of at least 1", repr(spec.dim))
    size = spec.input_size
    if not (isinstance(size, tuple) and len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)):
        raise BrokenPlugin(plugin, "spec.input_size is (height, width)", repr(size))
    if len(spec.digest) < 16 or not set(spec.digest) <= set(string.hexdigits):
        raise BrokenPlugin(plugin, "spec.digest is 16 or more hex digits", repr(spec.digest))
    return spec


def check_embeddings(plugin: str, rows: object, count: int, dim: int) -> NDArray[np.float32]:
    """float32 (count, dim), finite, rows of norm 1 within 1e-3."""
    array = _check_array(plugin, "encode", rows, (count, dim))
    # One pass serves both rules: a row that is not finite has no finite norm.
    norms = np.sqrt(np.einsum("ij,ij->i", array, array))
    off = ~(np.abs(norms - 1.0) <= TOLERANCE)
    if off.any():
        row = int(np.argmax(off))
        rule = "rows have norm 1" if np.isfinite(norms[row]) else "embeddings are finite"
        raise BrokenPlugin(plugin, rule, f"norm {norms[row]} in row {row}")
    return array


def check_scores(
    plugin: str, scores: object, count: int, options: int | None, *, exclusive: bool | None
) -> NDArray[np.float32]:
    """float32 (count, options), finite, within [0, 1]; rows sum to one within 1e-3 where options are exclusive.

    What is None is not known, and not checked.
    """
    array = _check_array(plugin, "predict", scores, (count, options))
    if array.size:
        low, high = float(array.min()), float(array.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise BrokenPlugin(plugin, "scores are finite", low if not np.isfinite(low) else high)
        if low < 0 or high > 1:
            raise BrokenPlugin(plugin, "scores lie within [0, 1]", low if low < 0 else high)
        if exclusive:
            sums = array.sum(axis=1)
            row = int(np.argmax(np.abs(sums - 1.0)))
            if abs(float(sums[row]) - 1.0) > TOLERANCE:
                raise BrokenPlugin(plugin, "scores of exclusive options sum to 1", f"{sums[row]} in row {row}")
    return array


def check_found(plugin: str, found: object, count: int, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """ids int64 (count, k) and scores float32 (count, k) in [-1, 1], best first; the tail is id -1 and score -1."""
    if not (isinstance(found, tuple) and len(found) == 2):
        raise BrokenPlugin(plugin, "search returns (ids, scores)", type(found).__name__)
    ids, scores = found
    if not isinstance(ids, np.ndarray) or ids.dtype != np.int64 or ids.shape != (count, k):
        raise BrokenPlugin(plugin, f"ids are int64 ({count}, {k})", _describe(ids))
    array = _check_array(plugin, "search", scores, (count, k))
    if array.size:
        worst = float(np.abs(array).max())
        if not worst <= 1 + TOLERANCE:
            raise BrokenPlugin(plugin, "scores lie within [-1, 1]", worst)
        if (np.diff(array, axis=1) > TOLERANCE).any():
            raise BrokenPlugin(plugin, "scores come best first", array[(np.diff(array, axis=1) > TOLERANCE).any(1)][0])
        if (ids < -1).any() or (array[ids == -1] != -1).any():
            raise BrokenPlugin(plugin, "an empty place is id -1 and score -1", array[ids == -1][:1])
    return ids, array


def check_asked(ids: NDArray[np.int64], embeddings: NDArray[np.float32], dim: int) -> None:
    """What an index is given to keep. Raises ValueError: this is the caller's mistake, not the plugin's."""
    if embeddings.ndim != 2 or embeddings.shape != (len(ids), dim):
        raise ValueError(f"{len(ids)} ids need embeddings ({len(ids)}, {dim}), got {embeddings.shape}")
    if len(ids) and (int(ids.min()) < 0 or len(np.unique(ids)) != len(ids)):
        raise ValueError("ids must be distinct, and 0 and up")
    norms = np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings))
    off = ~(np.abs(norms - 1.0) <= TOLERANCE)
    if off.any():
        raise ValueError(f"embeddings must be of norm 1, got {norms[off][0]} for id {ids[off][0]}")


def check_ids(plugin: str, ids: object) -> NDArray[np.int64]:
    """int64 (n,), ascending, 0 and up."""
    if not isinstance(ids, np.ndarray) or ids.dtype != np.int64 or ids.ndim != 1:
        raise BrokenPlugin(plugin, "ids are int64 (n,)", _describe(ids))
    if len(ids) and (ids[0] < 0 or (np.diff(ids) <= 0).any()):
        raise BrokenPlugin(plugin, "ids are ascending, 0 and up", ids[:10])
    return ids


def check_map(plugin: str, found: object) -> NDArray[np.float32]:
    """float32 (rows, columns) of at least one place, finite, 0 and up."""
    if not isinstance(found, np.ndarray) or found.dtype != np.float32 or found.ndim != 2 or not found.size:
        raise BrokenPlugin(plugin, "explain returns float32 (rows, columns)", _describe(found))
    low, high = float(found.min()), float(found.max())
    if not (low >= 0 and np.isfinite(high)):
        raise BrokenPlugin(plugin, "a map is finite, and 0 and up", f"{low} to {high}")
    return found


def _check_array(plugin: str, method: str, value: object, shape: tuple[int, int | None]) -> NDArray[np.float32]:
    wanted = f"{method} returns float32 ({shape[0]}, {'k' if shape[1] is None else shape[1]})"
    if not isinstance(value, np.ndarray) or value.dtype != np.float32 or value.ndim != 2:
        raise BrokenPlugin(plugin, wanted, _describe(value))
    if value.shape[0] != shape[0] or (shape[1] is not None and value.shape[1] != shape[1]):
        raise BrokenPlugin(plugin, wanted, _describe(value))
    return value


def _describe(value: object) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
