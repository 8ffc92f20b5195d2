"""The `pretrained` classifier: a network's own ImageNet classes, as the options of a project that has no labels yet.

An option's score is the sum of the probabilities of the classes that mean it. A network's head needs features of their
own length, and embeddings have length 1: they are brought to the mean length of the project's own frames. For
MobileNetV2 on four sets of real pictures, the best class stayed the same for 97.5 to 100 % of the frames.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from espalier.contract import (
    ConfigurableClassifier,
    Embeddings,
    Encoder,
    Ids,
    KnowingClassifier,
    Mask,
    Pictures,
    Scores,
    Targets,
    Weights,
)
from espalier.errors import BadSetting, NoWeights

from .class_head import ClassHead
from .encoder import TimmEncoder
from .imagenet import ImageNet, assign

Rows = NDArray[np.float32]
LENGTH = 25.0
"""Of features, where no frame is there to measure it on: MobileNetV2's are 24 to 30."""


class PretrainedClassifier:
    """It learns nothing: `know` says what it answers, and labels then calibrate it from outside."""

    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "description": "Answers by the names that a pretrained network already knows (ImageNet), before anything is "
        "labeled; your labels calibrate it and choose cutoffs, but teach it nothing.",
        "properties": {},
    }

    def __init__(self) -> None:
        self.exclusive = False
        self.length = LENGTH
        self.coefficients: Rows = np.zeros((0, 0), np.float32)
        """float32 (classes, d); intercepts (classes,)"""
        self.intercepts: Rows = np.zeros(0, np.float32)
        self.shares: Rows = np.zeros((0, 0), np.float32)
        """float32 (classes, options), with one column more for everything else where options are exclusive"""

    def configure(self, settings: Mapping[str, Any]) -> None:
        """What it knows is in the network and in the options' names."""

    @property
    def parameters(self) -> dict[str, Any]:
        return {"classes": len(self.coefficients), "length": round(self.length, 3)} if len(self.coefficients) else {}

    def know(
        self,
        encoder: Encoder,
        options: Sequence[Sequence[str]],
        frames: Pictures,
        *,
        exclusive: bool,
        among: Sequence[str] = (),
    ) -> tuple[tuple[str, ...], ...]:
        """See the contract. Raises NoWeights or BadSetting where the encoder's network knows no classes."""
        if not isinstance(encoder, TimmEncoder) or encoder.weights is None:
            raise NoWeights(f"the encoder {encoder.spec.name} knows no classes by itself; use a pretrained one of timm")
        head = ClassHead.read(encoder.weights, encoder.spec.dim)
        classes = ImageNet.of(len(head.coefficients))
        found = assign(classes, options)
        known = [numbers for numbers in found if numbers]
        self.exclusive = exclusive
        if len(frames):
            self.length = float(np.linalg.norm(next(iter(encoder.runtime.stream([frames]))), axis=1).mean())
        meant: Rows = np.zeros((len(head.coefficients), len(known)), np.float32)
        for column, numbers in enumerate(known):
            meant[list(numbers), column] = 1
        if exclusive:
            meant /= np.maximum(meant.sum(axis=1, keepdims=True), 1)  # a class of two options is half the one's
            meant = np.column_stack([meant, 1 - meant.sum(axis=1)]).astype(np.float32)
        allowed: NDArray[np.bool_] = np.ones(len(meant), np.bool_)
        if within := [number for numbers in assign(classes, [among]) for number in numbers]:
            allowed = np.isin(np.arange(len(meant)), [*within, *(number for some in known for number in some)])
        self.coefficients = np.ascontiguousarray(head.coefficients[allowed] * np.float32(self.length))
        self.intercepts, self.shares = head.intercepts[allowed], meant[allowed]
        return tuple(tuple(classes.names[number][0] for number in numbers) for numbers in found)

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
        """Raises BadSetting: it is told names, and is never fitted."""
        raise BadSetting("model_plugin='pretrained' learns nothing from labels; leave it out to train on them")

    def predict(self, embeddings: Embeddings) -> Scores:
        logits = embeddings @ self.coefficients.T + self.intercepts
        odds = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        scores = (odds / odds.sum(axis=1, keepdims=True)) @ self.shares
        return np.asarray(np.clip(scores, 0, 1), np.float32)

    def save(self, directory: Path) -> None:
        arrays = {"coefficients": self.coefficients, "intercepts": self.intercepts, "shares": self.shares}
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()}, directory / "pretrained.safetensors"
        )
        (directory / "pretrained.json").write_text(json.dumps({"exclusive": self.exclusive, "length": self.length}))

    @classmethod
    def load(cls, directory: Path) -> PretrainedClassifier:
        classifier = cls()
        about, arrays = (
            json.loads((directory / "pretrained.json").read_text()),
            load_file(directory / "pretrained.safetensors"),
        )
        classifier.exclusive, classifier.length = bool(about["exclusive"]), float(about["length"])
        classifier.coefficients, classifier.intercepts = arrays["coefficients"], arrays["intercepts"]
        classifier.shares = arrays["shares"]
        return classifier


_: type[KnowingClassifier] = PretrainedClassifier
__: type[ConfigurableClassifier] = PretrainedClassifier
