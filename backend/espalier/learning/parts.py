"""Parts: which frames are learned from, which are for choosing by, and which are kept to judge on at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..contract import Ids

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True)
class Division:
    """parts int8 (n,): index into PARTS. note: what could not be kept apart, in words, or empty."""

    parts: NDArray[np.int8]
    note: str = ""


def divide(
    names: Sequence[str],
    groups: Ids,
    holds: NDArray[np.bool_],
    chosen: NDArray[np.int8],
    *,
    validation: float,
    test: float,
    seed: int,
) -> Division:
    """Deals the groups to parts, stratified by the rarest option that holds in a group.

    names (n,): each row's media; groups int64 (n,); holds bool (n, k): every option of every question; chosen int8
    (n,): the part a person chose, or -1. validation, test: shares within [0, 0.5] of what nobody chose.

    A group's place in line depends on its name and the seed alone, so a group seldom changes its part when others are
    added. An option shown by few groups gives none of them away: 15 % are cut from seven groups on.
    """
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    count = len(first)
    parts = np.full(count, -1, np.int8)
    clash = np.zeros(count, np.bool_)
    for part in (TRAIN, VALIDATION, TEST):
        here = np.zeros(count, np.bool_)
        here[groups[chosen == part]] = True
        clash |= here & (parts >= 0)
        parts[here] = part  # the rest of a group follows its members that are judged on
    free = parts < 0
    stratum = _rarest(groups, count, holds)
    place = np.array([_place(names[row], seed) for row in first])
    order = np.lexsort((place, stratum, ~free))[: int(free.sum())]
    ends = np.flatnonzero(stratum[order][1:] != stratum[order][:-1]) + 1
    for members in np.split(order, ends):
        tested = int(test * len(members) + 1e-9)
        validated = int(validation * len(members) + 1e-9)
        parts[members] = TRAIN
        parts[members[:tested]] = TEST
        parts[members[tested : tested + validated]] = VALIDATION
    of_row = np.where(chosen >= 0, chosen, parts[groups]).astype(np.int8)
    return Division(of_row, _note(clash, groups, len(chosen)))


def _rarest(groups: Ids, count: int, holds: NDArray[np.bool_]) -> Ids:
    """For each group, the option it shows that the fewest groups show; those that show none come last."""
    shown = np.zeros((count, holds.shape[1]), np.bool_)
    row, option = np.nonzero(holds)
    shown[groups[row], option] = True
    frequency = np.where(shown, shown.sum(axis=0)[None], count + 1)
    rarest = frequency.argmin(axis=1) if holds.shape[1] else np.zeros(count, np.int64)
    return np.where(shown.any(axis=1), rarest, holds.shape[1]).astype(np.int64)


def _place(name: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:7], "big")


def _note(clash: NDArray[np.bool_], groups: Ids, rows: int) -> str:
    if not clash.any():
        return ""
    frames = int(clash[groups].sum())
    return (
        f"{frames} of {rows} frames have near-duplicates on the other side of the chosen validation or test set, so "
        "the measured quality flatters"
    )
