"""Comparisons: what two models said about the same frames, neither having seen them, and what people said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Ids, Scores
from ..learning.cutoffs import answered
from ..learning.head import Evidence, Head
from ..learning.model import Model
from ..learning.questions import Key

Bits = NDArray[np.bool_]
_NOTHING = -1  # none of the options holds, and people said so
_UNKNOWN = -2  # nobody said anything that both models could have answered


@dataclass(frozen=True)
class Comparison:
    """One question, on the options that both models know. Bits are bool (n, k).

    rows int64 (n,) number the candidate's `Rows`. before, now: what people had answered when the one that serves was
    trained, and when the candidate was. said: cells that can be judged by the candidate's labels; same: those of them
    that people have not changed in between. served, candidate: what the models answered.
    """

    key: Key
    options: tuple[Path, ...]
    exclusive: bool
    rows: Ids
    before: Bits
    now: Bits
    said: Bits
    same: Bits
    served: Bits
    candidate: Bits
    changed: Bits
    """bool (n,): rows about which people say something else now, be it an option that only one model knows."""
    known: Bits
    """bool (n,): rows that the one that serves was trained on; it had no label for the others."""


def compare(served: Model, candidate: Model, scored: Mapping[Key, Scores] | None = None) -> list[Comparison]:
    """The questions that can be compared, in the candidate's order.

    scored: by question, float32 (n, k): how the model that serves scores the candidate's rows as it predicts them
    today; NaN where that is not known. It is used for rows alone that are in no group with what it was trained on.
    """
    where = _places(served, candidate)
    taught = np.isin(candidate.rows.groups, candidate.rows.groups[where >= 0])
    found = []
    for key, head in candidate.heads.items():
        other = served.heads.get(key)
        if other is None or other.evidence is None or head.evidence is None or other.exclusive != head.exclusive:
            continue
        options = tuple(option for option in head.options if option in other.options)
        if len(options) < (2 if head.exclusive and not (head.background and other.background) else 1):
            continue
        given = None if scored is None else scored.get(key)
        asked = head.evidence.mask.any(axis=1) & (where >= 0)
        asked[asked] = other.evidence.mask[where[asked]].any(axis=1)
        if given is not None:
            asked |= head.evidence.mask.any(axis=1) & ~taught & np.isfinite(given).all(axis=1)
        rows = np.flatnonzero(asked).astype(np.int64)
        if len(rows):
            pair = _Pair(head, head.evidence, other, other.evidence, options, rows, where[rows], given)
            found.append(_exclusive(pair) if head.exclusive else _independent(pair))
    return found


@dataclass(frozen=True)
class _Pair:
    """The heads of one question with their evidence. rows (n,) of the candidate stand at `places` of the one that
    serves, or at -1, where it scored them as `given`."""

    head: Head
    evidence: Evidence
    other: Head
    other_evidence: Evidence
    options: tuple[Path, ...]
    rows: Ids
    places: Ids
    given: Scores | None

    @property
    def columns(self) -> tuple[Ids, Ids]:
        """Where the shared options stand, in the candidate's head and in the other."""
        return tuple(  # type: ignore[return-value]
            np.array([head.options.index(option) for option in self.options], np.int64)
            for head in (self.head, self.other)
        )

    @property
    def known(self) -> Bits:
        return np.asarray(self.places >= 0)

    def of_other(self, values: NDArray[np.generic], unknown: object = 0) -> NDArray[np.generic]:
        """Rows of the one that serves, at the candidate's numbers."""
        whole = np.full((len(self.rows), *values.shape[1:]), unknown, values.dtype)
        whole[self.known] = values[self.places[self.known]]
        return whole

    def scores_of_other(self) -> Scores:
        scores = np.asarray(self.of_other(self.other_evidence.scores), np.float32)
        if self.given is not None:
            scores[~self.known] = self.given[self.rows[~self.known]]
        return scores


def _exclusive(pair: _Pair) -> Comparison:
    """The best of the shared options counts as the answer: cutoffs are for how much is answered, not for what."""
    mine, theirs = pair.columns
    evidence, other, k = pair.evidence, pair.other_evidence, len(pair.options)
    background = pair.head.background and pair.other.background
    now = _held(evidence.targets[pair.rows], evidence.mask[pair.rows], mine, background)
    before = _held(other.targets, other.mask, theirs, background)
    before = np.asarray(pair.of_other(before, _UNKNOWN), np.int64)
    judged = evidence.counted[pair.rows].any(axis=1) & (now != _UNKNOWN)
    judged &= ~pair.known | np.asarray(pair.of_other(other.counted), np.bool_).any(axis=1)
    changed = pair.known & (now != before)
    said = np.repeat(judged[:, None], k, axis=1)
    return Comparison(
        pair.head.key,
        pair.options,
        True,
        pair.rows,
        _one_hot(before, k),
        _one_hot(now, k),
        said,
        said & ~changed[:, None],
        _one_hot(_best(pair.scores_of_other(), theirs, background), k),
        _one_hot(_best(evidence.scores[pair.rows], mine, background), k),
        changed,
        pair.known,
    )


def _independent(pair: _Pair) -> Comparison:
    """Every option for itself, by cutoffs that were not chosen on the row."""
    mine, theirs = pair.columns
    evidence, other = pair.evidence, pair.other_evidence
    now = (evidence.targets[pair.rows] > 0.5)[:, mine]
    said_before = np.asarray(pair.of_other(other.mask), np.bool_)[:, theirs]
    before = (np.asarray(pair.of_other(other.targets), np.float32) > 0.5)[:, theirs] & said_before
    differs = said_before & evidence.mask[pair.rows][:, mine] & (now != before)
    said = evidence.counted[pair.rows][:, mine]
    said &= ~pair.known[:, None] | np.asarray(pair.of_other(other.counted), np.bool_)[:, theirs]
    by_scores = answered(pair.scores_of_other(), pair.other.cutoffs, exclusive=False)
    theirs_answered = np.where(pair.known[:, None], pair.of_other(other.answered), by_scores)[:, theirs]
    return Comparison(
        pair.head.key,
        pair.options,
        False,
        pair.rows,
        before,
        now,
        said,
        said & ~differs,
        np.asarray(theirs_answered, np.bool_),
        evidence.answered[pair.rows][:, mine],
        np.asarray(differs.any(axis=1)),
        pair.known,
    )


def _places(served: Model, candidate: Model) -> Ids:
    """For each row of the candidate its number among those of the other, or -1."""
    rows = zip(served.rows.media.tolist(), served.rows.frames.tolist(), strict=True)
    numbers = {row: number for number, row in enumerate(rows)}
    wanted = zip(candidate.rows.media.tolist(), candidate.rows.frames.tolist(), strict=True)
    return np.array([numbers.get(row, -1) for row in wanted], np.int64)


def _held(targets: NDArray[np.float32], mask: Bits, columns: Ids, background: bool) -> Ids:
    """Which of the shared options holds, int64 (n,); _NOTHING, or _UNKNOWN."""
    holds = mask & (targets > 0.5)
    shared = holds[:, columns]
    held = np.where(shared.any(axis=1), shared.argmax(axis=1), _UNKNOWN)
    if background:
        held[mask.all(axis=1) & ~holds.any(axis=1)] = _NOTHING
    return np.asarray(held, np.int64)


def _best(scores: Scores, columns: Ids, background: bool) -> Ids:
    """Which of the shared options scores highest, int64 (n,); _NOTHING where none of all the options is likelier."""
    best = scores[:, columns].argmax(axis=1)
    if background:
        best[1.0 - scores.sum(axis=1) > scores[:, columns].max(axis=1)] = _NOTHING
    return np.asarray(best, np.int64)


def _one_hot(numbers: Ids, k: int) -> Bits:
    return np.asarray(numbers[:, None] == np.arange(k))
