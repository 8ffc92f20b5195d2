"""Coverage: how many frames would be labeled without anybody looking, if answers must be right so often.

A target is kept by a cutoff or not at all: nothing is promised that the frames seen so far do not bear out. What is
said of a cutoff is measured on frames that had no part in choosing it: each fold is answered by the cutoff that the
other folds chose (`cross`), and the test rows by the one that all folds chose (`test`), which is the one printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..learning.cutoffs import Cutoffs
from ..learning.head import Evidence, Head
from ..learning.model import Model
from ..learning.questions import Key
from ..learning.rows import Rows
from .coverage_words import sentence
from .promise import Candidates

TARGETS = (0.90, 0.95, 0.98, 0.99)


def coverage_table(model: Model, targets: Sequence[float] = TARGETS) -> dict[str, Any]:
    """Plain JSON: for all classifications under one cutoff, for each under its own, and for each option under its own.

    `global` is a list with one entry per target; `classifications` a list of {classification, trained, reason,
    multiple, targets: entries, options: a list of {option: path, targets: entries}}.

    An entry has target; reached, and cutoff where it is (else None); promise {precision, cutoff}, the most that any
    cutoff keeps, or None; sentence; coverage and recall at the cutoff; cross and test, which may be None. Those are
    measures: frames that were asked about, labeled (with at least one answer), coverage (the share of them), answers,
    right, precision (None without answers) and low, high, its 95 % interval; holds (what people answered) and recall.
    Where the other folds find no cutoff, a fold is not labeled, so the coverage of `cross` is the least to expect.

    A frame counts once for each question that it is asked. Of an option, frames are those that people answered so, and
    labeled those of them that would be: there coverage is recall. A question about a child is asked only where people
    answered the parent so.
    """
    rows = model.rows
    pools: list[_Pool] = []
    classifications: list[dict[str, Any]] = []
    for name in dict.fromkeys(head.classification for head in model.heads.values()):
        heads = [head for head in model.heads.values() if head.classification == name]
        trained = [(head, head.evidence) for head in heads if head.trained and head.evidence is not None]
        own = [_Pool.of(head, evidence, rows) for head, evidence in trained]
        pools += own
        classifications.append(
            {
                "classification": name,
                "trained": bool(trained),
                "reason": "" if trained else heads[0].reason,
                "multiple": any(pool.multiple for pool in own),
                "targets": _entries(_Pool.joined(own), targets) if own else [],
                "options": [
                    {"option": list(path), "targets": _entries(_Pool.of_option(head, evidence, rows, column), targets)}
                    for head, evidence in trained
                    for column, path in enumerate(head.options)
                ],
            }
        )
    return {
        "targets": list(targets),
        "frames": int((rows.folds >= 0).sum()),
        "test_frames": int((rows.folds < 0).sum()),
        "global": _entries(_Pool.joined(pools), targets) if pools else [],
        "classifications": classifications,
    }


STEPS = (*(step / 100 for step in range(100)), *(step / 1000 for step in range(991, 1001)))
"""Finer where sure models have most of their scores."""


def coverage_by_cutoff(
    model: Model, in_force: Mapping[Key, Cutoffs], cutoffs: Sequence[float] = STEPS
) -> dict[str, Any]:
    """Plain JSON: what each of these cutoffs would answer, on the frames of the cross-check, for a person who tries.

    in_force: by question, float64 (k,), what an option goes by where nothing else is asked for.

    cutoffs; together, of all classifications; and classifications, a list of {classification, multiple, media (how
    many groups of frames were judged), what all its options answer, and options: a list of {option: path, cutoff: the
    one in force, in_force: {answers, right} at it, and what it answers}}; none where it was not learned.

    What is answered: frames (asked about; of an option those that people answered so), and as long as `cutoffs` each:
    labeled (frames with at least one answer), answers, and right, how many of these. Of options that exclude each
    other the answers add up, whatever cutoff each has: one frame has one of them.
    """
    rows, pools, told = model.rows, [], []
    for name in dict.fromkeys(head.classification for head in model.heads.values()):
        heads = [head for head in model.heads.values() if head.classification == name]
        trained = [(head, head.evidence) for head in heads if head.trained and head.evidence is not None]
        own = [_Pool.of(head, evidence, rows) for head, evidence in trained]
        pools += own
        options = []
        for head, evidence in trained:
            for column, path in enumerate(head.options):
                cutoff = float(in_force.get(head.key, head.cutoffs)[column])
                pool = _Pool.of_option(head, evidence, rows, column)
                now = _answered(pool, [cutoff])
                options.append(
                    {
                        "option": list(path),
                        "cutoff": cutoff,
                        "in_force": {"answers": now["answers"][0], "right": now["right"][0]},
                        **_answered(pool, cutoffs),
                    }
                )
        groups = [rows.groups[(rows.folds >= 0) & evidence.counted.any(axis=1)] for _, evidence in trained]
        told.append(
            {
                "classification": name,
                "multiple": any(pool.multiple for pool in own),
                "media": len(np.unique(np.concatenate(groups))) if groups else 0,
                **_answered(_Pool.joined(own), cutoffs),
                "options": options,
            }
        )
    return {
        "cutoffs": list(cutoffs),
        "together": _answered(_Pool.joined(pools), cutoffs),
        "classifications": told,
    }


def _answered(pool: _Pool, cutoffs: Sequence[float]) -> dict[str, Any]:
    seen = pool.candidates.only(pool.candidates.fold >= 0)
    reached = np.searchsorted(-seen.score, -np.asarray(cutoffs, np.float64), side="right")
    right = np.append(0, np.cumsum(seen.right))
    first = np.zeros(len(seen), np.int64)
    first[np.unique(seen.row, return_index=True)[1]] = 1
    labeled = np.append(0, np.cumsum(first))
    return {
        "frames": pool.asked[0],
        "labeled": labeled[reached].tolist(),
        "answers": reached.tolist(),
        "right": right[reached].tolist(),
    }


@dataclass(frozen=True)
class _Pool:
    """Answers under one cutoff. asked and held: how many frames were asked about, and how many answers people gave, on
    the rows of the cross-check and on the test rows."""

    candidates: Candidates
    asked: tuple[int, int]
    held: tuple[int, int]
    multiple: bool
    """More than one option may hold per frame."""
    option: bool = False

    @classmethod
    def of(cls, head: Head, evidence: Evidence, rows: Rows) -> _Pool:
        holds = evidence.counted & (evidence.targets > 0.5)
        return cls(
            _candidates(head, evidence, rows, None),
            _in_parts(np.asarray(evidence.counted.any(axis=1)), rows),
            _in_parts(holds, rows),
            not head.exclusive,
        )

    @classmethod
    def of_option(cls, head: Head, evidence: Evidence, rows: Rows, column: int) -> _Pool:
        held = _in_parts(evidence.counted[:, column] & (evidence.targets[:, column] > 0.5), rows)
        options = np.arange(len(head.options)) == column
        return cls(_candidates(head, evidence, rows, options), held, held, not head.exclusive, option=True)

    @classmethod
    def joined(cls, pools: Sequence[_Pool]) -> _Pool:
        return cls(
            Candidates.joined([pool.candidates for pool in pools]),
            (sum(pool.asked[0] for pool in pools), sum(pool.asked[1] for pool in pools)),
            (sum(pool.held[0] for pool in pools), sum(pool.held[1] for pool in pools)),
            any(pool.multiple for pool in pools),
        )


def _candidates(head: Head, evidence: Evidence, rows: Rows, options: NDArray[np.bool_] | None) -> Candidates:
    return Candidates.of(
        evidence.scores,
        evidence.targets,
        evidence.counted,
        rows.groups,
        rows.folds,
        exclusive=head.exclusive,
        options=options,
    )


def _in_parts(cells: NDArray[np.bool_], rows: Rows) -> tuple[int, int]:
    return int(cells[rows.folds >= 0].sum()), int(cells[rows.folds < 0].sum())


def _entries(pool: _Pool, targets: Sequence[float]) -> list[dict[str, Any]]:
    """One per target, in that order."""
    every = pool.candidates
    seen, test = every.only(every.fold >= 0), every.only(every.fold < 0)
    cutoffs, promise = seen.promised(targets), seen.best_promise()
    crossed = np.zeros((len(targets), len(seen)), np.bool_)
    folds = np.unique(seen.fold)
    for fold in folds if len(folds) > 1 else ():
        inside = seen.fold == fold
        for kept, cutoff in zip(crossed, seen.only(~inside).promised(targets), strict=True):
            if cutoff is not None:
                kept |= inside & (seen.score >= cutoff)
    entries = []
    for target, cutoff, kept in zip(targets, cutoffs, crossed, strict=True):
        entry: dict[str, Any] = {"target": target, "reached": cutoff is not None, "cutoff": cutoff}
        entry["promise"] = promise and {"precision": promise[0], "cutoff": promise[1]}
        entry["coverage"] = entry["recall"] = entry["cross"] = entry["test"] = None
        if cutoff is not None:
            chosen = _measure(pool, 0, seen, seen.score >= cutoff)  # its precision flatters; how many they are does not
            entry["coverage"], entry["recall"] = chosen["coverage"], chosen["recall"]
            entry["cross"] = _measure(pool, 0, seen, kept) if len(folds) > 1 else None
            entry["test"] = _measure(pool, 1, test, test.score >= cutoff) if pool.asked[1] else None
        entry["sentence"] = sentence(entry, multiple=pool.multiple, option=pool.option)
        entries.append(entry)
    return entries


def _measure(pool: _Pool, part: int, candidates: Candidates, kept: NDArray[np.bool_]) -> dict[str, Any]:
    answers, right = int(kept.sum()), int(candidates.right[kept].sum())
    labeled = right if pool.option else len(np.unique(candidates.row[kept]))
    asked, held = pool.asked[part], pool.held[part]
    interval = candidates.precision(kept)
    return {
        "frames": asked,
        "labeled": labeled,
        "coverage": labeled / asked if asked else 0.0,
        "answers": answers,
        "right": right,
        "precision": right / answers if answers else None,
        "low": interval.low,
        "high": interval.high,
        "holds": held,
        "recall": right / held if held else 0.0,
    }
