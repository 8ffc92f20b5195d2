"""The regressions of one question: one per fold, learned from the rows outside of it, and one learned from all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids, Mask, Scores, Targets, Weights
from .design import Design, Float
from .logistic import TOLERANCE, Sigmoid, Softmax, fit, steps

_CELLS = 1 << 24
"""Logits held at once: 64 MB an array."""


@dataclass(frozen=True)
class Told:
    """What a classifier is fitted with, as the contract names it. folds int64 (n,), -1 for rows in none."""

    embeddings: Embeddings
    targets: Targets
    mask: Mask
    groups: Ids
    folds: Ids
    weights: Weights | None
    exclusive: bool
    seed: int

    def rows(self, at: Ids | NDArray[np.bool_]) -> Told:
        return replace(
            self,
            embeddings=self.embeddings[at],
            targets=self.targets[at],
            mask=self.mask[at],
            groups=self.groups[at],
            folds=self.folds[at],
            weights=None if self.weights is None else self.weights[at],
        )

    @property
    def holds(self) -> NDArray[np.bool_]:
        return self.mask & (self.targets > 0.5)

    @property
    def worth(self) -> Weights:
        """What each cell counts, float32 (n, k). An exclusive row counts where exactly one option holds, as much as
        that option weighs, in all its cells."""
        worth = self.mask.astype(np.float32) if self.weights is None else np.where(self.mask, self.weights, 0)
        if self.exclusive:
            one = self.holds.sum(axis=1, keepdims=True) == 1
            worth = np.repeat(one * (worth * self.holds).sum(axis=1, keepdims=True), self.mask.shape[1], axis=1)
        return np.asarray(worth, np.float32)


@dataclass(frozen=True)
class Problems:
    """Over rows that count: holds bool (n, k), worth float32 (n, k), folds int64 (n,), -1 for none.

    A solution is float32 (count + 1 regressions, k options, r + 1): those that do without fold 0, 1, ... and, last,
    that of all rows, in the design's own dimensions.
    """

    design: Design
    centre: Float
    holds: NDArray[np.bool_]
    worth: Weights
    folds: Ids
    count: int
    exclusive: bool

    @classmethod
    def of(cls, told: Told, features: Float) -> Problems:
        """features float32 (n, p) of what is told; every row must count."""
        centre = (features.sum(axis=0, dtype=np.float64) / max(1, len(features))).astype(np.float32)
        count = int(told.folds.max(initial=-1)) + 1
        return cls(Design.of(features - centre), centre, told.holds, told.worth, told.folds, count, told.exclusive)

    def solve(self, strength: float, start: Float | None = None, *, tolerance: float = TOLERANCE) -> Float:
        """The greater the strength, the closer to the data. start: a solution for another strength."""
        found, at = [], 0
        for loss, first in self._parts():
            near = first if start is None else start.reshape(-1, *first.shape[1:])[at : at + len(first)]
            found.append(fit(self.design, loss, near, 1.0 / strength, tolerance=tolerance))
            at += len(first)
        return self._together(found)

    def watch(self, strength: float) -> Iterator[tuple[int, Float]]:
        """The solutions after 0, 1, 2, 4, 8, ... steps and the last, each with the number of steps."""
        parts = []
        for loss, first in self._parts():
            kept, last = {}, 0
            for number, found in enumerate(steps(self.design, loss, first, 1.0 / strength)):
                last, latest = number, found
                if number & (number - 1) == 0:  # 0 or a power of 2
                    kept[number] = found
            kept[last] = latest
            parts.append(kept)
        for number in sorted({number for kept in parts for number in kept}):
            yield number, self._together([kept[max(n for n in kept if n <= number)] for kept in parts])

    def coefficients(self, solution: Float) -> tuple[Float, Float]:
        """float32 (b, k, p) and intercepts (b, k), for features as they were given."""
        weights = self.design.back(solution[..., :-1])
        return weights, solution[..., -1] - weights @ self.centre

    def unseen(self, solution: Float) -> Scores:
        """Scores float32 (n, k) of each row, by the regression that did without its fold."""
        scores = np.empty(self.holds.shape, np.float32)
        for fold in np.unique(self.folds):
            rows = self.folds == fold
            logits = self.design.rows[rows] @ solution[fold, :, :-1].T + solution[fold, :, -1]
            scores[rows] = scores_of(logits, exclusive=self.exclusive)
        return scores

    def _together(self, parts: list[Float]) -> Float:
        width = self.design.rows.shape[1] + 1
        return np.concatenate(parts).reshape(self.count + 1, self.holds.shape[1], width)

    def _parts(self) -> Iterator[tuple[Softmax | Sigmoid, Float]]:
        """As many regressions at once as memory should hold: their loss, and where to start from."""
        n, k = self.holds.shape
        kept = np.array([self.folds != fold for fold in range(self.count)] + [np.ones(n, np.bool_)])
        labels = self.holds.argmax(axis=1)
        if self.exclusive:
            weights = kept * self.worth.max(axis=1, initial=0)
            seen = weights @ self.holds.astype(np.float64)  # what each option weighs in each regression
            prior = np.log((seen + 0.5) / (seen.sum(axis=1, keepdims=True) + 0.5 * k))
        else:  # one regression per fold and option
            weights = (kept[:, None, :] * self.worth.T[None]).reshape((self.count + 1) * k, n)
            yes = np.tile(self.holds.T, (self.count + 1, 1))
            positives, everything = (weights * yes).sum(axis=1, dtype=np.float64), weights.sum(axis=1, dtype=np.float64)
            prior = np.log((positives + 0.5) / (everything - positives + 0.5))[:, None]
        start = np.zeros((*prior.shape, self.design.rows.shape[1] + 1), np.float32)
        start[..., -1] = prior
        at_once = max(1, _CELLS // max(1, n * prior.shape[1]))
        for first in range(0, len(start), at_once):
            part = slice(first, first + at_once)
            weight = weights[part].astype(np.float32)
            loss = Softmax(labels, weight) if self.exclusive else Sigmoid(yes[part].astype(np.float32), weight)
            yield loss, start[part]


def scores_of(logits: Float, *, exclusive: bool) -> Scores:
    """float32 (n, k): softmax where options exclude each other, else one sigmoid each."""
    if not exclusive:
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float32)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)
