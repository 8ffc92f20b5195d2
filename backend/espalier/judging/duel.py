"""Duels: the macro-F1 of two models on the same cells, and how far their difference may be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids
from ..learning.model import Model
from .bootstrap import resampled
from .comparison import Bits, Comparison

FEW = 10
"""Groups (media, with what is nearly their copy) under which nothing is judged: a single one would decide."""
_RESAMPLES = 2000
_BUCKETS = 3000  # of groups, where there are more: drawn together they tell as much, in less time
_DOUBT = 0.01
"""An interval leaves out this share of the resamples, half of it at each end; for several classifications, divided
among them, so that one of many is not refused for being unlucky. A project trains with every burst of annotations: on
digits, growing from 4 to 400, one honest successor in 24 was refused at 0.05, and one in 72 at 0.01."""
_SHUFFLES = 200
_UNUSUAL = 99.0  # percentile of what guessing reaches

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """Macro-F1 of both, and the interval of their difference (candidate less served)."""

    served: float
    candidate: float
    low: float
    high: float
    confidence: float
    rows: int
    groups: int

    @property
    def difference(self) -> float:
        return self.candidate - self.served

    def is_clearly_worse(self, margin: float) -> bool:
        return self.groups >= FEW and self.high < 0.0 and self.difference < -margin

    def __str__(self) -> str:
        return (
            f"macro-F1 {self.candidate:.3f} instead of {self.served:.3f} (difference {self.difference:+.3f}, "
            f"{_percent(self.confidence)} interval {self.low:+.3f} to {self.high:+.3f})"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "served": self.served,
            "candidate": self.candidate,
            "difference": self.difference,
            "interval": [self.low, self.high],
            "confidence": self.confidence,
            "frames": self.rows,
            "groups": self.groups,
        }


@dataclass(frozen=True)
class Duel:
    """overall: None where there is too little to say anything. today: judged on the candidate's labels."""

    overall: Result | None
    classifications: Mapping[str, Result]
    rows: int
    changed: int
    today: bool

    @property
    def described(self) -> str:
        labels = "their labels of today, since most were changed," if self.today else "labels that have not changed"
        return f"{self.rows} {'frame' if self.rows == 1 else 'frames'} that neither had seen, with {labels}".rstrip(",")

    def described_for(self, name: str) -> str:
        return f"{self.classifications[name].rows} frames"

    @property
    def figures(self) -> dict[str, Any]:
        return {
            "frames": self.rows,
            "changed_frames": self.changed,
            "labels": "today" if self.today else "unchanged",
            "macro_f1": self.overall.to_json() if self.overall else None,
            "classifications": {name: result.to_json() for name, result in self.classifications.items()},
        }


def fight(comparisons: Sequence[Comparison], candidate: Model, *, seed: int) -> Duel:
    """Over labels that are unchanged; where these are few and more were changed, over those that the candidate has."""
    changed = _distinct([one.rows[one.changed] for one in comparisons])
    cells = [one.same for one in comparisons]
    judged = _distinct([one.rows[same.any(axis=1)] for one, same in zip(comparisons, cells, strict=True)])
    groups = candidate.rows.groups
    today = len(np.unique(groups[judged])) < FEW and len(changed) > len(judged)
    if today:
        cells = [one.said for one in comparisons]
        judged = _distinct([one.rows[said.any(axis=1)] for one, said in zip(comparisons, cells, strict=True)])
    names = [one.key[0] for one in comparisons for _ in one.options]
    buckets = _buckets(groups[judged], seed)
    place = np.zeros(len(groups), np.int64)
    place[judged] = buckets
    counts = np.concatenate(
        [np.zeros((int(place.max(initial=0)) + 1, 0, 5))]
        + [_counts(one, said, place) for one, said in zip(comparisons, cells, strict=True)],
        axis=1,
    )
    if len(np.unique(groups[judged])) < FEW:
        return Duel(None, {}, len(judged), len(changed), today)
    drawn = resampled(
        counts.reshape(len(counts), -1), np.arange(len(counts), dtype=np.int64), resamples=_RESAMPLES, seed=seed
    ).reshape(_RESAMPLES, -1, 5)
    whole = counts.sum(axis=0)[None]
    asked = list(dict.fromkeys(names))
    results = {}
    for name in asked:
        columns = np.array([other == name for other in names], np.bool_)
        mine = [(one, said) for one, said in zip(comparisons, cells, strict=True) if one.key[0] == name]
        rows = _distinct([one.rows[said.any(axis=1)] for one, said in mine])
        if len(rows):
            results[name] = _result(whole[:, columns], drawn[:, columns], groups[rows], _DOUBT / len(asked))
    overall = _result(whole, drawn, groups[judged], _DOUBT)
    return Duel(overall, results, len(judged), len(changed), today)


@dataclass(frozen=True)
class Guess:
    """What a model reached on its own labels, beside what its answers reach when they are dealt out at random."""

    reached: float
    chance: float
    guessed: bool

    @property
    def skill(self) -> float:
        """0 for guessing, 1 for never wrong."""
        return (self.reached - self.chance) / max(1.0 - self.chance, 1e-9)

    def to_json(self) -> dict[str, Any]:
        return {"macro_f1": self.reached, "chance": self.chance, "guessed": self.guessed}


def is_guessing(truth: Bits, answers: Bits, said: Bits, *, seed: int) -> Guess | None:
    """Whether the answers have anything to do with the truth; None where there are too few rows to tell. (n, k)."""
    rows = said.any(axis=1)
    truth, answers, said = truth[rows] & said[rows], answers[rows], said[rows]
    if len(truth) < FEW:
        return None
    rng = np.random.default_rng(seed)

    def reached(given: Bits) -> float:
        given = given & said
        sums = np.stack([(given & truth).sum(axis=0), given.sum(axis=0), truth.sum(axis=0)], axis=-1)
        return float(_macro_f1(sums[None, :, 0], sums[None, :, 1], sums[None, :, 2])[0])

    dealt = [reached(answers[rng.permutation(len(answers))]) for _ in range(_SHUFFLES)]
    found = reached(answers)
    return Guess(found, float(np.mean(dealt)), found <= float(np.percentile(dealt, _UNUSUAL)))


def _counts(one: Comparison, said: Bits, place: Ids) -> Numbers:
    """Right and given of the one that serves, right and given of the candidate, support: float64 (groups, k, 5)."""
    served, candidate, holds = one.served & said, one.candidate & said, one.now & said
    adds = np.stack([served & holds, served, candidate & holds, candidate, holds], axis=-1)
    whole = np.zeros((int(place.max(initial=0)) + 1, *adds.shape[1:]))
    used = said.any(axis=1)
    np.add.at(whole, place[one.rows[used]], adds[used])
    return whole


def _result(whole: Numbers, drawn: Numbers, groups: Ids, doubt: float) -> Result:
    """whole (1, k, 5) and drawn (resamples, k, 5) are sums as of `_counts`."""
    served, candidate = (float(_macro_f1(whole[..., i], whole[..., i + 1], whole[..., 4])[0]) for i in (0, 2))
    differences = _macro_f1(drawn[..., 2], drawn[..., 3], drawn[..., 4])
    differences = differences - _macro_f1(drawn[..., 0], drawn[..., 1], drawn[..., 4])
    low, high = np.quantile(differences, [doubt / 2, 1 - doubt / 2])
    return Result(served, candidate, float(low), float(high), 1 - doubt, len(groups), len(np.unique(groups)))


def _macro_f1(right: Numbers, given: Numbers, support: Numbers) -> Numbers:
    """float64 (b, k) each; the mean over the options that hold anywhere, (b,)."""
    there = support > 0
    f1 = np.where(there, 2.0 * right / np.maximum(given + support, 1.0), 0.0)
    return np.asarray(f1.sum(axis=1) / np.maximum(there.sum(axis=1), 1))


def _buckets(groups: Ids, seed: int) -> Ids:
    """Each row's group, numbered from 0; where they are many, several share a number."""
    _, numbered = np.unique(groups, return_inverse=True)
    count = int(numbered.max(initial=-1)) + 1
    if count <= _BUCKETS:
        return np.asarray(numbered, np.int64)
    return np.asarray(np.random.default_rng(seed).permutation(count)[numbered] % _BUCKETS, np.int64)


def _distinct(rows: Sequence[Ids]) -> Ids:
    return np.asarray(np.unique(np.concatenate([np.zeros(0, np.int64), *rows])), np.int64)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
