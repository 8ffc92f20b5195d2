"""The linear classifier: regularised logistic regression on embeddings, exclusive or one sigmoid per option."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from ..contract import Embeddings, FoldClassifier, Ids, Mask, Scores, Targets, Weights
from .logistic import Design, Sigmoid, Softmax, fit

STRENGTH = 20.0
"""Inverse penalty, for embeddings scaled to mean squared distance 1 from their centre.

On seven sets of pictures, 5 examples a class to all of them, anything from 5 to 60 gave the same accuracy within a
point, so it is not searched for. It equals scikit-learn's C = 40 on embeddings of norm 1 with that spread 0.5."""
_CELLS = 1 << 24  # logits held at once: 64 MB an array


class LinearClassifier:
    """Scores are softmax over exclusive options, else one sigmoid per option; masked targets are not learned from.

    balance in [0, 1] weights options (or yes against no) by rarity to that power while fitting; the intercepts are
    corrected afterwards, so that scores keep the observed frequencies. It is 0 by default: it was measured to make
    rare options no better, and cutoffs per option do what it is usually wanted for.
    """

    def __init__(self, *, strength: float = STRENGTH, balance: float = 0.0) -> None:
        if not (strength > 0 and 0 <= balance <= 1):
            raise ValueError(f"strength must be above 0 and balance within [0, 1], got {strength} and {balance}")
        self.strength, self.balance = strength, balance
        self.exclusive = False
        self.coefficients = np.zeros((0, 0), np.float32)
        """float32 (k, d)"""
        self.intercepts = np.zeros(0, np.float32)

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
        """Groups and seed are not needed: the problem is convex. Rows of which nothing is said may be there."""
        self._fit(embeddings, targets, mask, np.full(len(embeddings), -1), exclusive)

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
        """All folds and the final model in one solve. Rows of a fold share nothing with their model but the centre."""
        return self._fit(embeddings, targets, mask, folds, exclusive)

    def predict(self, embeddings: Embeddings) -> Scores:
        if embeddings.shape[1:] != self.coefficients.shape[1:]:
            raise ValueError(
                f"this classifier was fitted on {self.coefficients.shape[1]} dimensions, got {embeddings.shape[1]}"
            )
        return _scores(embeddings @ self.coefficients.T + self.intercepts, self.exclusive)

    def save(self, directory: Path) -> None:
        save_file(
            {"coefficients": np.ascontiguousarray(self.coefficients), "intercepts": self.intercepts},
            directory / "linear.safetensors",
        )
        about = {"exclusive": self.exclusive, "strength": self.strength, "balance": self.balance}
        (directory / "linear.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, directory: Path) -> LinearClassifier:
        about = json.loads((directory / "linear.json").read_text())
        arrays = load_file(directory / "linear.safetensors")
        classifier = cls(strength=float(about["strength"]), balance=float(about["balance"]))
        classifier.exclusive = bool(about["exclusive"])
        classifier.coefficients, classifier.intercepts = arrays["coefficients"], arrays["intercepts"]
        return classifier

    def _fit(self, embeddings: Embeddings, targets: Targets, mask: Mask, folds: Ids, exclusive: bool) -> Scores:
        """Fits the final model, keeps it, and returns each row's scores by the model without its fold (-1: final)."""
        embeddings = np.asarray(embeddings, np.float32)
        options, count = targets.shape[1], int(folds.max(initial=-1)) + 1
        holds = mask & (targets > 0.5)
        said = (holds.sum(axis=1) == 1)[:, None] & np.ones_like(mask) if exclusive else mask
        used = said.any(axis=1)
        design = Design.of(embeddings[used])
        if used.any():
            solve = self._exclusive if exclusive else self._independent
            solved = solve(design, holds[used], said[used], folds[used], count)  # (count + 1, k, d + 1), final one last
        else:
            solved = np.zeros((count + 1, options, embeddings.shape[1] + 1), np.float32)
        scaled = solved[..., :-1] * np.float32(design.scale)
        intercepts = solved[..., -1] - scaled @ design.centre
        self.exclusive = exclusive
        self.coefficients, self.intercepts = scaled[-1].copy(), intercepts[-1].copy()
        scores = np.empty((len(embeddings), options), np.float32)
        for fold in range(-1, count):
            rows = folds == fold
            if rows.any():
                scores[rows] = _scores(embeddings[rows] @ scaled[fold].T + intercepts[fold], exclusive)
        return scores

    def _exclusive(
        self, design: Design, holds: NDArray[np.bool_], said: Mask, folds: Ids, count: int
    ) -> NDArray[np.float32]:
        n, k = holds.shape
        labels = holds.argmax(axis=1)
        kept = np.array([folds != fold for fold in range(count)] + [np.ones(n, np.bool_)]).reshape(-1, n)
        seen = kept.astype(np.float64) @ holds  # rows per fold and option
        rarity = (seen.sum(axis=1, keepdims=True) / np.maximum(k * seen, 1.0)) ** self.balance
        prior = np.log((seen * rarity + 0.5) / ((seen * rarity).sum(axis=1, keepdims=True) + 0.5 * k))
        start = np.zeros((count + 1, k, design.rows.shape[1] + 1), np.float32)
        start[..., -1] = prior
        penalty = 1.0 / self.strength
        at_once = max(1, _CELLS // max(1, n * k))
        for first in range(0, count + 1, at_once):
            part = slice(first, first + at_once)
            weights = (kept[part] * rarity[part][:, labels]).astype(np.float32)
            start[part] = fit(design, Softmax(labels, weights), start[part], penalty)
        start[..., -1] -= np.log(rarity).astype(np.float32)
        return start

    def _independent(
        self, design: Design, holds: NDArray[np.bool_], said: Mask, folds: Ids, count: int
    ) -> NDArray[np.float32]:
        n, k = holds.shape
        kept = np.array([folds != fold for fold in range(count)] + [np.ones(n, np.bool_)]).reshape(-1, n)
        weights = (kept[:, None, :] & said.T[None]).reshape(-1, n)  # one problem per fold and option
        yes = np.tile(holds.T, (count + 1, 1)) & weights
        positives, negatives = yes.sum(axis=1).astype(np.float64), (weights & ~yes).sum(axis=1).astype(np.float64)
        rarity = (np.maximum(negatives, 1.0) / np.maximum(positives, 1.0)) ** self.balance
        start = np.zeros((len(weights), 1, design.rows.shape[1] + 1), np.float32)
        start[:, 0, -1] = np.log((positives * rarity + 0.5) / (negatives + 0.5))
        at_once = max(1, _CELLS // max(1, n))
        for first in range(0, len(weights), at_once):
            part = slice(first, first + at_once)
            weight = np.where(yes[part], rarity[part][:, None], 1.0) * weights[part]
            loss = Sigmoid(yes[part].astype(np.float32), weight.astype(np.float32))
            start[part] = fit(design, loss, start[part], 1.0 / self.strength)
        start[:, 0, -1] -= np.log(rarity).astype(np.float32)
        return start.reshape(count + 1, k, -1)


def _scores(logits: NDArray[np.float32], exclusive: bool) -> Scores:
    if not exclusive:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float32)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)


_: type[FoldClassifier] = LinearClassifier
