"""The search over a classifier's own parameters: what cross-checks best, if it does so by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .calibration import Calibration
from .design import Float
from .features import Features, Kind
from .problems import Problems, Told

ROWS, ROWS_PER_OPTION = 1_000, 10
"""More are not searched on, and by no more than three folds then. Few rows want more strength than many do (100 for
1,200 of 10,000 that wanted 30), so that no more than the usual is tried on a sample."""
FEWEST = 30
_ROUGH = 3e-3
"""Losses can be told apart long before a solution is final."""
_FLOOR = 1e-6


@dataclass(frozen=True)
class Choice:
    """Strength is the inverse of the penalty on squared coefficients."""

    kind: Kind
    strength: float


@dataclass(frozen=True)
class Found:
    """A choice, and what it was found with, where it was tried: not wherever there are few rows or folds."""

    choice: Choice
    features: Features | None = None
    problems: Problems | None = None
    solution: Float | None = None


def search(kinds: Sequence[Kind], told: Told, *, strength: float | None = None) -> Found:
    """The kind and strength of the least log-loss on rows of other folds, after the calibration that will follow.

    The first kind at the usual strength stands unless another is better by more than one standard error over groups,
    and wherever there are too few rows or folds to ask. With a strength of one's own, no other is tried.
    """
    usual = Choice(kinds[0], float(strength or kinds[0].usual))
    if strength is not None and len(kinds) == 1:
        return Found(usual)
    at = np.flatnonzero((told.folds >= 0) & (told.worth > 0).any(axis=1))
    most = ROWS + ROWS_PER_OPTION * told.mask.shape[1]
    some = at if len(at) <= most else np.sort(np.random.default_rng(told.seed).choice(at, most, replace=False))
    folds = np.unique(told.folds[some], return_inverse=True)[1].astype(np.int64)
    if len(some) < len(at):
        folds %= 3
    if len(some) < FEWEST or folds.max() < 1:
        return Found(usual)
    asked = replace(told.rows(some), folds=folds)
    members = np.unique(asked.groups, return_inverse=True)[1]
    losses: dict[Choice, NDArray[np.float64]] = {}
    found: dict[Choice, Found] = {}
    best = usual
    for kind in kinds:
        features = kind.of(asked.embeddings, told.seed)
        problems = Problems.of(asked, features(asked.embeddings))
        solution = None
        own = None if strength is None else [Choice(kind, float(strength))]
        for choice in own or _climb(kind, losses, upwards=len(some) == len(at)):
            solution = problems.solve(choice.strength, solution, tolerance=_ROUGH)
            losses[choice] = np.bincount(members, _losses(problems, solution)).astype(np.float64)
            found[choice] = Found(choice, features, problems, solution)
            if kind is not best.kind and _surely(losses[choice] - losses[best]):
                break  # no strength will make up for that
        best = min(losses, key=lambda choice: float(losses[choice].sum()))
    return found[best if _surely(losses[usual] - losses[best]) else usual]


def _climb(kind: Kind, losses: Mapping[Choice, NDArray[np.float64]], *, upwards: bool) -> Iterator[Choice]:
    """From the usual downwards while that is better; or else upwards."""
    ladder = [Choice(kind, strength) for strength in kind.strengths]
    middle = ladder.index(Choice(kind, kind.usual))
    yield ladder[middle]
    for rungs in (ladder[:middle][::-1], ladder[middle + 1 :] if upwards else []):
        before = ladder[middle]
        for choice in rungs:
            yield choice
            if losses[choice].sum() >= losses[before].sum():
                break
            before = choice
        if before != ladder[middle]:
            return


def _surely(gain: NDArray[np.float64]) -> bool:
    """Whether the sum is above 0 by more than one standard error."""
    return bool(gain.sum() > gain.std() * len(gain) ** 0.5)


def _losses(problems: Problems, solution: Float) -> NDArray[np.float64]:
    """Each row's, float64 (n,)."""
    scores, targets = problems.unseen(solution), problems.holds.astype(np.float32)
    calibrated = Calibration.of(scores, targets, problems.worth > 0, exclusive=problems.exclusive)(scores)
    other = np.float32(1) if problems.exclusive else 1 - calibrated
    logs = -np.log(np.maximum(np.where(problems.holds, calibrated, other), _FLOOR))
    return np.asarray((problems.worth * logs).sum(axis=1, dtype=np.float64))
