"""For plugin authors: one line in a test file says whether a plugin keeps the contract.

    from espalier.testing import check_encoder

    def test_my_encoder_keeps_the_contract():
        check_encoder(MyEncoder)

Each check calls the plugin with made-up data and raises BrokenPlugin naming plugin, rule and value.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .contract import (
    ClassifierClass,
    Embeddings,
    Encoder,
    EncoderClass,
    EncoderRequest,
    IndexClass,
    IndexRequest,
    Pictures,
    Targets,
)
from .errors import BrokenPlugin
from .plugin_settings import faults
from .plugins.checked import CheckedClassifier, CheckedEncoder
from .plugins.index_check import IndexCheck
from .plugins.rules import missing_members

__all__ = ["check_classifier", "check_encoder", "check_index"]

Rows = NDArray[np.float32]

# Kernels may be chosen by the size of a batch: the same picture alone and among others need not agree to the last bit.
SAME = 2e-3


def check_encoder(encoder: EncoderClass | Encoder, request: EncoderRequest | None = None) -> None:
    """One picture and many, order, repetition, streams, even surfaces, views and read-only arrays.

    Give the class (it is opened with `request`) or an open encoder.
    """
    name = _name(encoder)
    _members(name, "encoder", encoder)
    opened = cast(EncoderClass, encoder).open(request or EncoderRequest()) if isinstance(encoder, type) else encoder
    checked = CheckedEncoder(name, cast(Encoder, opened))
    pictures = _pictures(checked.spec.input_size)
    kept = pictures.copy()
    rows = checked.encode(pictures).copy()
    _rule(name, "encode leaves the pictures as they are", np.array_equal(pictures, kept), "other pixels")
    _rule(name, "different pictures give different rows", _worst(rows[0], rows[1]) > 1e-4, rows[:2, :3])
    _equal(name, "equal pictures give equal rows", rows, checked.encode(pictures))
    single = np.concatenate([checked.encode(pictures[at : at + 1]) for at in range(len(pictures))])
    _equal(name, "a picture's row does not depend on its batch", rows, single)
    _equal(name, "rows come in the order of the pictures", rows[::-1], checked.encode(pictures[::-1]))
    pictures.flags.writeable = False
    _equal(name, "read-only pictures are encoded", rows, checked.encode(pictures))
    parts = [pictures[:1], pictures[1:4], pictures[4:]]
    streamed = list(checked.encode_stream(iter(parts)))
    _equal(name, "encode_stream gives what encode gives", rows, np.concatenate(streamed))
    _rule(name, "encode_stream keeps the batches", [len(part) for part in streamed] == [1, 3, len(rows) - 4], streamed)
    _rule(name, "encode_stream of nothing is nothing", list(checked.encode_stream(iter([]))) == [], "something")
    stopped = checked.encode_stream(iter(parts))
    next(stopped)
    del stopped
    _equal(name, "a stream that was left early does no harm", rows, checked.encode(pictures))


def check_classifier(classifier: ClassifierClass) -> None:
    """Single and multiple choice, hidden targets, an option never seen, saving, and learning what is plain.

    Of one that people may set something of: its schema, and that it is fitted with every default and every `enum`.
    """
    name = _name(classifier)
    _members(name, "classifier", classifier)
    _settings(name, classifier)
    for exclusive in (True, False):
        embeddings, targets = _examples(exclusive)
        groups = np.arange(len(embeddings), dtype=np.int64) // 3
        mask = np.ones(targets.shape, bool)
        mask[::7] = False
        shown = targets.copy()
        shown[~mask] = 1 - shown[~mask]  # what is hidden must not be learned from, so it is wrong
        scores = _fitted(name, classifier, embeddings, shown, mask, groups, exclusive).predict(embeddings)
        right = ((scores > 0.5) == (targets > 0.5)).mean()
        _rule(name, "plain differences are learned, hidden targets are not", right > 0.9, f"{right:.2f} right")
        again = _fitted(name, classifier, embeddings, shown, mask, groups, exclusive)
        _equal(name, "the same seed gives the same scores", scores, again.predict(embeddings))
        _equal(name, "a row's scores do not depend on its batch", scores[:1], again.predict(embeddings[:1]))
        _round_trip(name, classifier, again, embeddings, exclusive)
        again.fit(embeddings[:6], targets[:6], mask[:6], groups[:6], exclusive=exclusive, seed=1)
        again.predict(embeddings)
        unseen = targets.copy()
        unseen[:, -1] = 0
        rows = unseen.any(axis=1) if exclusive else np.ones(len(unseen), bool)
        whole = np.ones_like(mask)
        _fitted(name, classifier, embeddings[rows], unseen[rows], whole[rows], groups[rows], exclusive).predict(
            embeddings
        )
        checked = CheckedClassifier(name, classifier())
        if checked.folds:
            checked.cross_fit(
                embeddings, shown, mask, groups, folds=groups % 3, exclusive=exclusive, seed=0
            )  # its shape, range and sums are what is checked


def check_index(index: IndexClass, request: IndexRequest | None = None) -> None:
    """Add, replace, remove, fewer than k, `allowed`, reopening with and without `close`, saving, dropping, refusals.

    All of it beside brute force. Give the class, and a request for what it needs (an URL, say); without one it is
    opened in a temporary directory. What lies under the request is dropped before and afterwards.
    """
    name = _name(index)
    missing = [member for member in ("open", "drop") if not callable(getattr(index, member, None))]
    _rule(name, "an index is opened and dropped by its class", not missing, f"none called {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as directory:
        asked = request or IndexRequest("check_index", 24, "0123456789abcdef", Path(directory) / "index")
        index.drop(asked)
        IndexCheck(name, index, asked).run()


def _settings(name: str, classifier: ClassifierClass) -> None:
    schema = getattr(classifier, "schema", None)
    if schema is None:
        return
    wrong = faults(schema)
    _rule(name, "schema is one that a form can be made of", not wrong, "; ".join(wrong))
    _rule(name, "what has a schema has configure", callable(getattr(classifier, "configure", None)), "none")
    embeddings, targets = _examples(exclusive=True)
    groups = np.arange(len(embeddings), dtype=np.int64) // 3
    for property, one in schema.get("properties", {}).items():
        for value in [*one.get("enum", []), *([one["default"]] if "default" in one else [])]:
            checked = CheckedClassifier(name, classifier())
            checked.configure({property: value})
            checked.fit(embeddings, targets, np.ones(targets.shape, bool), groups, exclusive=True, seed=0)
            checked.predict(embeddings)


def _fitted(
    name: str,
    classifier: ClassifierClass,
    embeddings: Embeddings,
    targets: Targets,
    mask: Any,
    groups: Any,
    exclusive: bool,
) -> CheckedClassifier:
    checked = CheckedClassifier(name, classifier())
    checked.fit(embeddings, targets, mask, groups, exclusive=exclusive, seed=0)
    return checked


def _round_trip(
    name: str, classifier: ClassifierClass, fitted: CheckedClassifier, embeddings: Embeddings, exclusive: bool
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        fitted.save(Path(directory))
        _rule(name, "save writes files", any(Path(directory).iterdir()), "none")
        loaded = CheckedClassifier(name, classifier.load(Path(directory)), exclusive=exclusive)
        _equal(name, "load gives the same scores back", fitted.predict(embeddings), loaded.predict(embeddings))


def _name(plugin: object) -> str:
    return plugin.__name__ if isinstance(plugin, type) else type(plugin).__name__


def _members(name: str, role: str, plugin: Any) -> None:
    missing = missing_members(role, plugin)
    _rule(name, f"a {role} has all its methods", not missing, f"none called {', '.join(missing)}")


def _rule(name: str, rule: str, holds: bool, value: object) -> None:
    if not holds:
        raise BrokenPlugin(name, rule, value)


def _equal(name: str, rule: str, wanted: Rows, got: Rows) -> None:
    _rule(
        name, rule, wanted.shape == got.shape and _worst(wanted, got) < SAME, f"a difference of {_worst(wanted, got)}"
    )


def _worst(left: Rows, right: Rows) -> float:
    return float(np.abs(left - right).max(initial=0)) if left.shape == right.shape else float("inf")


def _pictures(size: tuple[int, int]) -> Pictures:
    """uint8 (12, height, width, 3): noise, ramps, and even surfaces from black to white."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (4, *size, 3), dtype=np.uint8)
    ramp = np.linspace(0, 255, size[1], dtype=np.uint8)
    ramps = np.stack([np.broadcast_to(np.roll(ramp, shift)[None, :, None], (*size, 3)) for shift in (0, 9, 33)])
    even = np.stack([np.full((*size, 3), value, np.uint8) for value in (0, 1, 128, 255)])
    red = np.zeros((1, *size, 3), np.uint8)
    red[..., 0] = 200
    return np.concatenate([noise, ramps, even, red])


def _unit_rows(count: int, dim: int, seed: int = 0) -> Embeddings:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _examples(exclusive: bool) -> tuple[Embeddings, Targets]:
    """Three well-separated clouds; exclusive: one option each; else options 0 and 1 hold for two clouds each."""
    which = np.arange(90) % 3
    centres = _unit_rows(3, 16, seed=3)
    rows = centres[which] + 0.1 * _unit_rows(90, 16, seed=4)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    targets = np.eye(3, dtype=np.float32)[which]
    if not exclusive:
        targets[:, 0] = which != 2
        targets[:, 1] = which != 0
    return rows.astype(np.float32), targets
