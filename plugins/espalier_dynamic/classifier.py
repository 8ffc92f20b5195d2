"""The dynamic classifier: it knows an option from its first example on, and forgets what is taken back, at once.

Nothing is fitted by steps: examples are kept as they are, and asked how near they are. What is near none of them is
given to none of the options.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from espalier.contract import ConfigurableClassifier, Embeddings, Ids, LiveClassifier, Mask, Scores, Targets, Weights

from .examples import Examples
from .knowledge import Knowledge
from .probes import Probes
from .prototypes import Prototypes

_BATCH = 256


class DynamicClassifier:
    """With exclusive options, the last column is for what is like none of the others; it may have examples too.

    Otherwise every column is a question of its own, in which examples of which the option does not hold count as much
    as those of which it does. What is near nothing has a low score everywhere.
    """

    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "description": "Knows an option from its first example on and forgets what is taken back, within the second "
        "and without training; a frame that is like none of the examples is left unanswered.",
        "properties": {},
    }

    def __init__(self) -> None:
        self._begin(0, 0, exclusive=True)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """It chooses everything from its examples."""

    def _begin(self, dim: int, options: int, *, exclusive: bool) -> None:
        self.examples = Examples(dim, options, exclusive=exclusive)
        self._prototypes = Prototypes(dim, self.examples.sides, exclusive=exclusive)
        self._probes = Probes(self.examples)
        self._knowledge: Knowledge | None = None
        self._asking = Lock()  # a server asks from several threads; what is learned comes from one

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
        self._begin(embeddings.shape[1], targets.shape[1], exclusive=exclusive)
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
        self._add(ids[telling], embeddings[telling], says[telling])

    def _add(self, ids: Ids, rows: Embeddings, says: NDArray[np.float32]) -> None:
        if len(ids):
            self.examples.add(ids, rows, says)
            self._prototypes.join(rows, says)
            self._probes.join(rows, says)
            self._knowledge = None

    def forget(self, ids: Ids) -> None:
        places = self.examples.places(ids)
        if len(places):
            rows, says = self.examples.rows[places], self.examples.says[places]
            self._prototypes.leave(rows, says)
            self._probes.leave(self.examples.ids[places], rows, says)
            self.examples.drop(places)
            self._knowledge = None

    def predict(self, embeddings: Embeddings) -> Scores:
        self._check(embeddings)
        with self._asking:
            if self._knowledge is None:
                self._knowledge = Knowledge.of(self.examples, self._prototypes, self._probes)
            scores = self._knowledge.scores
        parts = [scores(embeddings[at : at + _BATCH], self.examples) for at in range(0, len(embeddings), _BATCH)]
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
        classifier._begin(int(about["dim"]), int(about["options"]), exclusive=bool(about["exclusive"]))
        classifier._add(arrays["ids"], arrays["rows"], arrays["says"])
        return classifier

    def _check(self, embeddings: Embeddings) -> None:
        if embeddings.shape[1] != self.examples.dim:
            raise ValueError(f"this classifier was fitted on {self.examples.dim} dimensions, got {embeddings.shape[1]}")


_: type[LiveClassifier] = DynamicClassifier
__: type[ConfigurableClassifier] = DynamicClassifier
