"""The `label_studio_ml` classifier: an existing class of that SDK answers a classification, task by task.

It learns nothing here; people's labels calibrate its confidences, choose its cutoffs and judge it, as any other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from espalier.contract import (
    ConfigurableClassifier,
    Embeddings,
    Ids,
    Mask,
    Scores,
    Targets,
    TaskClassifier,
    TaskRequest,
    Weights,
)
from espalier.errors import BadSetting

from .hosting import PLUGIN, host
from .named_class import NamedClass

TIMEOUT_S = 60.0
_FILE = "label_studio_ml.json"


class LabelStudioMLClassifier:
    """Asked about tasks, it hands on what the operator's class says; of embeddings alone it knows nothing."""

    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "description": "An existing class written for label-studio-ml answers, task by task; which one, the operator "
        "says in espalier.yaml. Your labels calibrate it and choose cutoffs, but teach it nothing.",
        "properties": {
            "timeout_s": {
                "type": "number",
                "title": "Seconds for a task",
                "description": "How long the class may take for one task before it is ended and started anew.",
                "minimum": 0.1,
                "maximum": 3600,
                "default": TIMEOUT_S,
            }
        },
    }

    def __init__(self) -> None:
        self.timeout_s = TIMEOUT_S
        self.options = 0
        self.exclusive = False
        self.answers_by = ""

    def configure(self, settings: Mapping[str, Any]) -> None:
        self.timeout_s = float(settings.get("timeout_s", TIMEOUT_S))

    def begin(self, request: TaskRequest, *, options: int, exclusive: bool) -> str:
        """See the contract."""
        named = NamedClass.of(request.named)
        about = host(named, request).open()
        self.options, self.exclusive, self.answers_by = options, exclusive, named.name
        version = f", model version {about['model_version']}" if about.get("model_version") else ""
        return f"{named.name} of label-studio-ml {about['sdk']}{version}"

    def ask(self, tasks: Sequence[Mapping[str, Any]], request: TaskRequest) -> list[list[dict[str, Any]]]:
        """See the contract."""
        opened = host(NamedClass.of(request.named), request)
        return [_best(one) for one in opened.predict(tasks, timeout_s=self.timeout_s * len(tasks))]

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
        """Raises BadSetting: it is asked about tasks, and is never fitted."""
        raise BadSetting(f"model_plugin={PLUGIN!r} learns nothing from labels; leave it out to train on them")

    def predict(self, embeddings: Embeddings) -> Scores:
        scores = np.zeros((len(embeddings), self.options + self.exclusive), np.float32)
        if self.exclusive:
            scores[:, self.options] = 1
        return scores

    def save(self, directory: Path) -> None:
        about = {"options": self.options, "exclusive": self.exclusive, "class": self.answers_by}
        (directory / _FILE).write_text(json.dumps({**about, "timeout_s": self.timeout_s}))

    @classmethod
    def load(cls, directory: Path) -> LabelStudioMLClassifier:
        classifier, about = cls(), json.loads((directory / _FILE).read_text())
        classifier.options, classifier.exclusive = int(about["options"]), bool(about["exclusive"])
        classifier.answers_by, classifier.timeout_s = str(about["class"]), float(about["timeout_s"])
        return classifier


def _best(predictions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The regions of the surest prediction, the first of equals; one without a score of its own has the prediction's.

    A prediction's score of 0 counts as none: the SDK fills it in where a class names no score.
    """
    if not predictions:
        return []
    surest = max(predictions, key=_score)
    given = surest.get("score")
    return [
        {**region, "score": given} if isinstance(region, Mapping) and given and region.get("score") is None else region
        for region in surest["result"]
    ]


def _score(prediction: Mapping[str, Any]) -> float:
    score = prediction.get("score")
    return float(score) if isinstance(score, int | float) and math.isfinite(score) else 0.0


_: type[TaskClassifier] = LabelStudioMLClassifier
__: type[ConfigurableClassifier] = LabelStudioMLClassifier
