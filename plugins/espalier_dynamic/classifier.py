"""The dynamic classifier: it knows an option from its first example on, and forgets what is taken back, at once.

Nothing is fitted by steps: examples are kept as they are, and asked how near they are. What is near none of them is
given to none of the options.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from espalier.contract import Embeddings, Ids, LiveClassifier, Mask, Scores, Targets, Weights

from .examples import Examples

_SHARPNESS = 32.0
_RADIUS = 0.55
_SLOPE = 24.0
_BATCH = 256


class DynamicClassifier:
    """With exclusive options, the last column is for what is like none of the others; it may have examples too.

    Otherwise every column is a question of its own, in which examples of which the option does not hold count as much
    as those of which it does. What is near nothing has a low score everywhere.
    """

    def __init__(self) -> None:
        self.examples = Examples(0, 0, exclusive=True)

    def fit(
        self,
        embeddings: Embeddings,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        *,
        exclusive: bool,
        seed: int,
        weights: Weights | None = None,
    ) -> None:
        """No rows at all are enough: then everything is like none of the options. Nothing depends on groups or seed."""
        self.examples = Examples(embeddings.shape[1], targets.shape[1], exclusive=exclusive)
        self.learn(np.arange(len(embeddings), dtype=np.int64), embeddings, targets, mask, weights=weights)

    def learn(
        self, ids: Ids, embeddings: Embeddings, targets: Targets, mask: Mask, *, weights: Weights | None = None
    ) -> None:
        """Of one id given twice, the later row counts."""
        says = self.examples.spoken(targets, mask, weights)
        self._check(embeddings)
        if len(np.unique(ids)) < len(ids):
            last = len(ids) - 1 - np.unique(ids[::-1], return_index=True)[1]
            ids, embeddings, says = ids[last], embeddings[last], says[last]
        self.forget(ids)
        telling = (says > 0).any(axis=1)
        self.examples.add(ids[telling], embeddings[telling], says[telling])

    def forget(self, ids: Ids) -> None:
        self.examples.drop(self.examples.places(ids))

    def predict(self, embeddings: Embeddings) -> Scores:
        self._check(embeddings)
        parts = [self._scores(embeddings[at : at + _BATCH]) for at in range(0, len(embeddings), _BATCH)]
        return np.concatenate([np.zeros((0, self.examples.options), np.float32), *parts])

    def save(self, directory: Path) -> None:
        examples = self.examples
        order = np.argsort(examples.ids)
        arrays: dict[str, NDArray[Any]] = {
            "ids": examples.ids[order],
            "rows": examples.rows[order],
            "says": examples.says[order],
        }
        save_file(arrays, directory / "dynamic.safetensors")
        about = {"dim": examples.dim, "options": examples.options, "exclusive": examples.exclusive}
        (directory / "dynamic.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, directory: Path) -> DynamicClassifier:
        """It goes on learning and forgetting where it was."""
        about = json.loads((directory / "dynamic.json").read_text())
        arrays = load_file(directory / "dynamic.safetensors")
        classifier = cls()
        classifier.examples = Examples(int(about["dim"]), int(about["options"]), exclusive=bool(about["exclusive"]))
        classifier.examples.add(arrays["ids"], arrays["rows"], arrays["says"])
        return classifier

    def _check(self, embeddings: Embeddings) -> None:
        if embeddings.shape[1] != self.examples.dim:
            raise ValueError(f"this classifier was fitted on {self.examples.dim} dimensions, got {embeddings.shape[1]}")

    def _scores(self, embeddings: Embeddings) -> Scores:
        examples = self.examples
        options, exclusive = examples.options, examples.exclusive
        says = examples.says
        near = np.exp(_SHARPNESS * (embeddings @ examples.rows.T - 1)) @ says
        logs = np.log(np.maximum(near, np.float32(1e-37))) - np.log(np.maximum(says.sum(axis=0), np.float32(1e-37)))
        logs = np.where(says.any(axis=0), logs, -np.inf)
        likeness = 1 + logs / _SHARPNESS
        if exclusive:
            if options == 0:
                return np.zeros((len(embeddings), 0), np.float32)
            shares = _softmax(logs)
            known = _sigmoid(_SLOPE * (likeness.max(axis=1) - _RADIUS))
            scores = shares * known[:, None]
            scores[:, -1] += 1 - known
            return np.asarray(scores, np.float32)
        pairs = np.stack([logs[:, :options], logs[:, options:]], axis=2)
        shares = _softmax(pairs.reshape(-1, 2)).reshape(pairs.shape)
        known = _sigmoid(_SLOPE * (likeness[:, :options] - _RADIUS))
        return np.asarray(shares[:, :, 0] * known, np.float32)


def _softmax(logs: NDArray[np.floating]) -> NDArray[np.floating]:
    """Where a row is nothing but -inf, nothing."""
    highest = logs.max(axis=1, keepdims=True)
    shares = np.exp(logs - np.where(np.isfinite(highest), highest, 0))
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-37))


def _sigmoid(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values))


_: type[LiveClassifier] = DynamicClassifier
