"""What is made of the examples before scores are asked, and kept until one comes or goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Embeddings, Scores

from . import radius
from .examples import Examples
from .left_out import alone, left_out
from .likeness import cosine, kernel, log_mean
from .mixing import Mixing
from .probes import Probes
from .prototypes import Metric, Prototypes
from .radius import Radius

Float = NDArray[np.float64]
_LOWEST = -1e9


@dataclass(frozen=True)
class Knowledge:
    """Of exclusive options: how prototypes, examples and radii make scores."""

    metric: Metric
    mixing: Mixing
    radius: Radius
    prior: Float
    """What a side's logit has for being frequent, (sides,); exclusive options are all as likely."""

    @classmethod
    def of(cls, examples: Examples, prototypes: Prototypes, probes: Probes) -> Knowledge:
        probes.refresh()
        metric = prototypes.metric()
        itself, without = left_out(metric, probes.rows, probes.says)
        logs = log_mean(probes.sums, probes.counted)
        counted = metric.present & (probes.counted > 1e-6) & ~alone(metric.totals, probes.says)
        if not examples.exclusive:
            return cls._of_pairs(examples, metric, probes, itself.discriminants, logs, counted)
        own = probes.says.argmax(axis=1)
        rows = np.arange(len(own))
        judged = counted[rows, own]
        several = judged & (counted.sum(axis=1) > 1)
        mixing = Mixing.learned(itself.discriminants[several], logs[several], counted[several], own[several])
        near = cosine(logs)
        beyond = radius.offsets(near[rows, own][judged], own[judged], examples.sides)
        likeness = np.where(counted, near - beyond, _LOWEST)
        others = counted.copy()
        others[rows, own] = False
        foreign = others.any(axis=1)
        unlike = np.where(others, near - beyond, _LOWEST)
        fit = radius.learned(
            beyond,
            (likeness.max(axis=1)[judged], np.where(counted, itself.cosines, -1).max(axis=1)[judged]),
            (unlike.max(axis=1)[foreign], np.where(others, without.cosines, -1).max(axis=1)[foreign]),
            by_prototype=int(metric.present.sum()) > 2,
        )
        return cls(metric, mixing, fit, np.zeros(examples.sides))

    @classmethod
    def _of_pairs(
        cls,
        examples: Examples,
        metric: Metric,
        probes: Probes,
        discriminants: Float,
        logs: Float,
        counted: NDArray[np.bool_],
    ) -> Knowledge:
        """Each option has a side for and a side against it."""
        k = examples.options
        pairs = [np.stack([each[:, :k], each[:, k:]], axis=2).reshape(-1, 2) for each in (discriminants, logs)]
        says = np.stack([probes.says[:, :k], probes.says[:, k:]], axis=2).reshape(-1, 2)
        there = np.stack([counted[:, :k], counted[:, k:]], axis=2).reshape(-1, 2)
        judged = there.all(axis=1) & (says > 0).any(axis=1)
        mixing = Mixing.learned(pairs[0][judged], pairs[1][judged], there[judged], says[judged].argmax(axis=1))
        spoken = (probes.says > 0) & counted
        near = cosine(logs)[spoken]
        side = np.nonzero(spoken)[1]
        beyond = radius.offsets(near, side, examples.sides)
        nothing = np.zeros(0)
        fit = radius.learned(beyond, (near - beyond[side], nothing), (nothing, nothing), by_prototype=False)
        return cls(metric, mixing, fit, np.log(metric.totals + 1))

    def scores(self, embeddings: Embeddings, examples: Examples) -> Scores:
        present = self.metric.present
        if not present.any():
            scores = np.zeros((len(embeddings), examples.options), np.float32)
            scores[:, -1:] = examples.exclusive
            return scores
        logs = log_mean(kernel(embeddings, examples.rows) @ examples.says, self.metric.totals)
        products = self.metric.products(embeddings)
        z = np.where(present, self.mixing(products.discriminants, logs) + self.prior, _LOWEST)
        near = np.where(present, cosine(logs) - self.radius.offsets, _LOWEST)
        if not examples.exclusive:
            k = examples.options
            near = np.maximum(near[:, :k], near[:, k:])
            return np.asarray(
                _sigmoid(z[:, :k] - z[:, k:]) * _sigmoid(self.radius.logits(near, np.zeros(1))), np.float32
            )
        cosines = np.where(present, products.cosines, -1).max(axis=1)
        known = _sigmoid(self.radius.logits(near.max(axis=1), cosines))
        shares = np.exp(z - z.max(axis=1, keepdims=True))
        scores = shares * (known / shares.sum(axis=1))[:, None]
        scores[:, -1] += 1 - known
        return np.asarray(scores, np.float32)


def _sigmoid(values: Float) -> Float:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * np.clip(values, -60, 60)))
