"""The linear classifier: regularised logistic regression on embeddings, exclusive or one sigmoid per option."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from ..contract import (
    ConfigurableClassifier,
    Embeddings,
    FoldClassifier,
    Ids,
    Mask,
    Scores,
    SteppedClassifier,
    Targets,
    Weights,
)
from .design import Float
from .features import Curved, Features, Kind, Straight
from .folds import deal
from .problems import Problems, Told, scores_of
from .search import Choice, Found, search

STRENGTH: Mapping[str, Any] = {
    "type": "number",
    "title": "Strength",
    "description": "How closely the labels are followed: 3 smooths over mistakes in them, 100 follows each one. Left "
    "empty, it is chosen by cross-check at every training.",
    "exclusiveMinimum": 0,
    "maximum": 1_000_000,
}


class LinearClassifier:
    """Scores are softmax over exclusive options, else one sigmoid per option; masked targets are not learned from.

    Strength, the inverse of the penalty, is chosen by cross-check unless it is given or search is False: by every
    `cross_fit`, and by `fit` where nothing has been chosen yet. Weights count as they are: scores follow the weighted
    frequencies, not the observed ones.
    """

    kinds: ClassVar[tuple[Kind, ...]] = (Straight,)
    """What may be chosen from; the first is usual."""
    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "description": "Draws one flat border between the options: quick, steady, right for most projects.",
        "properties": {"strength": STRENGTH},
    }

    def __init__(self, *, strength: float | None = None, search: bool = True) -> None:
        if strength is not None and not strength > 0:
            raise ValueError(f"strength must be above 0, got {strength}")
        self.searches = search and strength is None
        self.choice = None if self.searches else Choice(self.kinds[0], strength or self.kinds[0].usual)
        self.configured: dict[str, Any] = {}
        """What a person set."""
        self.exclusive = False
        self.kernel: Curved | None = None
        """What the coefficients are for, where it is not the embeddings themselves."""
        self.coefficients = np.zeros((0, 0), np.float32)
        """float32 (k, d), or (k, landmarks) with a kernel"""
        self.intercepts = np.zeros(0, np.float32)

    @property
    def parameters(self) -> dict[str, Any]:
        """What was chosen; empty before."""
        return {} if self.choice is None else {"features": self.choice.kind.name, "strength": self.choice.strength}

    def use(self, parameters: Mapping[str, Any]) -> None:
        """features: `linear` or `kernel`, as far as they are known here; strength: above 0."""
        parameters = {**parameters, **self.configured}
        named = {kind.name: kind for kind in self.kinds}
        kind = named.get(str(parameters.get("features")), self.kinds[0])
        self.searches = False
        self.choice = Choice(kind, float(parameters.get("strength", kind.usual)))

    def configure(self, settings: Mapping[str, Any]) -> None:
        """What is not among them is still chosen by cross-check."""
        self.configured = dict(settings)

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
        """Rows of which nothing is said may be there."""
        nowhere = np.full(len(embeddings), -1, np.int64)
        told = Told(embeddings, targets, mask, groups, nowhere, weights, exclusive, seed)
        features, problems, solution = self._solve(told)
        self._keep(features, problems, solution)

    def cross_fit(
        self,
        embeddings: Embeddings,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        *,
        folds: Ids,
        exclusive: bool,
        seed: int,
        weights: Weights | None = None,
    ) -> Scores:
        """All folds and the final model in one solve.

        A fold's model knows nothing of what is said of the fold's rows, but for two things that all folds share: what
        was chosen, and what features are made of (centre, evenness, landmarks: embeddings without their targets).
        """
        if self.searches:
            self.choice = None
        told = Told(embeddings, targets, mask, groups, folds, weights, exclusive, seed)
        features, problems, solution = self._solve(told)
        coefficients, intercepts = self._keep(features, problems, solution)
        scores = np.empty(targets.shape, np.float32)
        for fold in np.unique(folds):
            rows = folds == fold
            without = fold if fold < problems.count else -1  # of a last fold's rows, nothing may be said
            scores[rows] = self._scores(embeddings[rows], coefficients[without], intercepts[without])
        return scores

    def fit_steps(
        self,
        embeddings: Embeddings,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        watched: Embeddings,
        *,
        exclusive: bool,
        seed: int,
        weights: Weights | None = None,
    ) -> Iterator[tuple[int, Scores]]:
        """Steps of the solver: 0, where only the frequencies are known, 1, 2, 4, 8, ... and the last.

        Where nothing has been chosen yet, it is done as usual: to look on is not worth a search.
        """
        nowhere = np.full(len(embeddings), -1, np.int64)
        told = Told(embeddings, targets, mask, groups, nowhere, weights, exclusive, seed)
        choice = self.choice or self._usual()
        features, problems = _prepared(self._counting(told), Found(choice))
        for step, solution in problems.watch(choice.strength):
            self._keep(features, problems, solution)
            yield step, self.predict(watched)

    def predict(self, embeddings: Embeddings) -> Scores:
        dim = self.coefficients.shape[1] if self.kernel is None else self.kernel.landmarks.shape[1]
        if embeddings.shape[1] != dim:
            raise ValueError(f"this classifier was fitted on {dim} dimensions, got {embeddings.shape[1]}")
        return self._scores(embeddings, self.coefficients, self.intercepts)

    def save(self, directory: Path) -> None:
        arrays = {"coefficients": self.coefficients, "intercepts": self.intercepts}
        if self.kernel is not None:
            arrays |= self.kernel.arrays()
        save_file(
            {name: np.ascontiguousarray(array) for name, array in arrays.items()}, directory / "linear.safetensors"
        )
        about = {"exclusive": self.exclusive, "searches": self.searches, **self.parameters}
        (directory / "linear.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, directory: Path) -> LinearClassifier:
        """What was chosen stays chosen, until the next cross-check."""
        about = json.loads((directory / "linear.json").read_text())
        arrays = load_file(directory / "linear.safetensors")
        classifier = cls()
        classifier.searches = bool(about.get("searches", True))
        kind = Curved if "landmarks" in arrays else Straight
        if "strength" in about:
            classifier.choice = Choice(kind, float(about["strength"]))
        classifier.exclusive = bool(about["exclusive"])
        classifier.kernel = Curved.restored(arrays) if kind is Curved else None
        classifier.coefficients, classifier.intercepts = arrays["coefficients"], arrays["intercepts"]
        return classifier

    def _counting(self, told: Told) -> Told:
        """The rows that count for something."""
        self.exclusive = told.exclusive
        counts: NDArray[np.bool_] = np.asarray((told.worth > 0).any(axis=1))
        return told if counts.all() else told.rows(counts)

    def _chosen(self, told: Told) -> Found:
        """What was chosen, now if not before: by the folds, or by the groups dealt to some."""
        if self.choice is not None:
            return Found(self.choice)
        dealt = told if told.folds.max(initial=-1) >= 0 else _dealt(told)
        found = search(self._open_kinds(), dealt, strength=self.configured.get("strength"))
        self.choice = found.choice
        return found

    def _open_kinds(self) -> tuple[Kind, ...]:
        """Those that a person left to be chosen from."""
        wanted = self.configured.get("features")
        return tuple(kind for kind in self.kinds if kind.name == wanted) or self.kinds

    def _usual(self) -> Choice:
        kind = self._open_kinds()[0]
        return Choice(kind, float(self.configured.get("strength", kind.usual)))

    def _solve(self, told: Told) -> tuple[Features, Problems, Float]:
        told = self._counting(told)
        found = self._chosen(told)
        features, problems = _prepared(told, found)
        start = None
        if found.problems is not None and problems.design is found.problems.design and found.solution is not None:
            start = found.solution[-problems.count - 1 :]
        return features, problems, problems.solve(found.choice.strength, start)

    def _keep(self, features: Features, problems: Problems, solution: Float) -> tuple[Float, Float]:
        """The last of the solution; returns all, for what is raw."""
        coefficients, intercepts = features.fold(*problems.coefficients(solution))
        self.kernel = features if isinstance(features, Curved) else None
        self.coefficients, self.intercepts = coefficients[-1].copy(), intercepts[-1].copy()
        return coefficients, intercepts

    def _scores(self, embeddings: Embeddings, coefficients: Float, intercepts: Float) -> Scores:
        raw = embeddings if self.kernel is None else self.kernel.raw(embeddings)
        return scores_of(raw @ coefficients.T + intercepts, exclusive=self.exclusive)


def _dealt(told: Told) -> Told:
    return replace(told, folds=deal(told.targets, told.mask, told.groups, seed=told.seed).rows)


def _prepared(told: Told, found: Found) -> tuple[Features, Problems]:
    """Those that the choice was found with, where they are of the same rows; of the folds told in any case."""
    count = int(told.folds.max(initial=-1)) + 1
    tried = found.problems
    if found.features is None or tried is None or len(tried.folds) != len(told.folds) or count not in (0, tried.count):
        features = found.choice.kind.of(told.embeddings, told.seed)
        return features, Problems.of(told, features(told.embeddings))
    return found.features, replace(tried, folds=told.folds, count=count)


_: type[FoldClassifier] = LinearClassifier
__: type[SteppedClassifier] = LinearClassifier
___: type[ConfigurableClassifier] = LinearClassifier
