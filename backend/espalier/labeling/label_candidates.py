"""Candidates: suspicious answers as a person looks at them, neighbouring frames of one media together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espalier_ontology.tree import Path

from ..contract import Ids
from .label_doubt import same_said

_GAP = 4.0
"""Frames further apart than so many usual steps between rows are no neighbours."""


@dataclass(frozen=True)
class Candidate:
    """Answers to look at: one row, or neighbouring frames of one media that say the same and should say the same.

    score in [0, 1]: how probable it is that what was said is right; low is suspicious. rows int64 (r,): row numbers,
    by frame. said and suggested: the options (columns) that hold, and that would hold instead; empty for none of them.
    """

    score: float
    rows: Ids
    said: tuple[int, ...]
    suggested: tuple[int, ...]

    def sentence(self, options: tuple[Path, ...]) -> str:
        """For people, given the names of the columns."""
        return f"labeled {_named(self.said, options)}, looks like {_named(self.suggested, options)}"


def candidates(
    quality: NDArray[np.float64],
    suspicious: NDArray[np.bool_],
    holds: NDArray[np.bool_],
    suggested: NDArray[np.bool_],
    *,
    media: NDArray[np.str_] | None,
    frames: Ids | None,
    per_media: bool,
) -> tuple[Candidate, ...]:
    """The suspicious rows, bool (n,), worst first; those that belong together are one, with their mean quality."""
    n = len(quality)
    order, start = np.arange(n), np.ones(n, np.bool_)
    if media is not None and n:
        numbers = same_said(media, holds, suggested) if per_media else np.unique(media, return_inverse=True)[1]
        numbers, times = numbers.reshape(-1), np.zeros(n, np.int64) if frames is None else frames
        order = np.lexsort((times, numbers))
        start = np.r_[True, numbers[order][1:] != numbers[order][:-1]]
        if not per_media:
            start |= _breaks(order, start, times, suspicious, holds, suggested)
    piece = np.cumsum(start)
    rows, piece = order[suspicious[order]], piece[suspicious[order]]
    cuts = np.flatnonzero(np.diff(piece)) + 1
    made = [
        Candidate(float(quality[part].mean()), part.astype(np.int64), _columns(holds[part]), _columns(suggested[part]))
        for part in np.split(rows, cuts)
        if len(part)
    ]
    return tuple(sorted(made, key=lambda candidate: (candidate.score, int(candidate.rows[0]))))


def _breaks(
    order: NDArray[np.int64],
    start: NDArray[np.bool_],
    times: Ids,
    suspicious: NDArray[np.bool_],
    holds: NDArray[np.bool_],
    suggested: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Where, in this order, something else begins: other answers, other suggestions, a row in no doubt, a long gap."""
    step = np.r_[0, np.diff(times[order])]
    usual = float(np.median(step[~start])) if (~start).any() else 1.0
    told = np.column_stack((suspicious, holds, suggested))[order]
    return np.asarray(np.r_[True, (told[1:] != told[:-1]).any(axis=1)] | (step > _GAP * max(1.0, usual)))


def _columns(values: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(values[0]).tolist())


def _named(columns: tuple[int, ...], options: tuple[Path, ...]) -> str:
    return ", ".join(" / ".join(options[column]) for column in columns) if columns else "none of the options"
