"""Dealing: the frames of all questions, once each, in their parts and folds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract import Embeddings, Ids
from .folds import deal, join_duplicates
from .parts import PARTS, TEST, TRAIN, VALIDATION, Part, divide
from .questions import Question
from .rows import Located, Rows
from .training_parameters import TrainingParameters

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Dealt:
    """seen bool (n,): rows that the encoder has learned from, or that are nearly such a row. notes: for people."""

    rows: Rows
    seen: Bits
    notes: tuple[str, ...] = ()


def deal_rows(
    questions: Sequence[Question],
    located: Located,
    places: Sequence[Ids],
    alike: Embeddings,
    parameters: TrainingParameters,
    chosen: Mapping[str, Part],
    *,
    taught: Mapping[str, Part] | None = None,
    validation_alone: bool = False,
) -> Dealt:
    """located, places: as `rows.union` gives them for the questions.

    alike float32 (n, any): what near-duplicates are found by. An encoder that has learned to tell the options apart
    draws everything of one option together; it must be another's that has not. chosen: by media, the part that a
    person wants it to play. taught: by media, the part that it played when the encoder learned; it plays it again,
    unless a person chose another. validation_alone: only validation rows are dealt to folds, for where nothing is
    fitted anew without the fold; where there would be none, some are held back.
    """
    if not questions:
        return Dealt(Rows.none(), np.zeros(0, np.bool_))
    taught = taught or {}
    groups: Ids = np.zeros(len(alike), np.int64)
    for question, at in zip(questions, places, strict=True):
        groups[at] = question.groups
    groups = join_duplicates(alike, groups, seed=parameters.seed)
    names = located.media.tolist()
    holds = side_by_side([question.holds for question in questions], places, len(groups))
    mask = side_by_side([question.mask for question in questions], places, len(groups))
    by_hand = parameters.val_tasks is not None or parameters.val_filter is not None
    division = divide(
        names,
        groups,
        holds,
        _numbers(names, {**taught, **chosen}),
        validation=0.0 if by_hand or parameters.split_column is not None else parameters.val_split,
        test=0.0 if parameters.split_column is not None else parameters.test_split,
        seed=parameters.seed,
    )
    learned = _numbers(names, taught) == TRAIN
    seen = np.asarray(np.isin(groups, groups[learned]))
    parts, note = division.parts, division.note
    if validation_alone and not (parts == VALIDATION).any():
        parts, note = _held_back(parts, holds, mask, groups, parameters.seed)
    validation = parts == VALIDATION
    dev = validation if validation_alone else parts != TEST
    folds = np.full(len(groups), -1, np.int64)
    if not dev.any():
        return Dealt(Rows(located.media, located.frames, groups, folds, parts), seen, _notes(note))
    dealt = deal(holds[dev].astype(np.float32), mask[dev], groups[dev], seed=parameters.seed)
    folds[dev] = dealt.rows
    if not validation_alone and validation.any() and not validation[dev].all():
        folds[validation] = dealt.count
        folds[dev] = np.unique(folds[dev], return_inverse=True)[1]
    rows = Rows(located.media, located.frames, groups, folds, parts)
    return Dealt(rows, seen, _notes(note, dealt.note))


def _held_back(
    parts: NDArray[np.int8], holds: Bits, mask: Bits, groups: Ids, seed: int
) -> tuple[NDArray[np.int8], str]:
    """With a fifth of the training rows for validation, where there are too few media for a share of them."""
    train = np.flatnonzero(parts == TRAIN)
    dealt = deal(holds[train].astype(np.float32), mask[train], groups[train], seed=seed)
    found = parts.copy()
    if dealt.count > 1:
        found[train[dealt.rows == 0]] = VALIDATION
    return found, dealt.note or "there are few media, so a fifth of them is held back to choose the network by"


def side_by_side(parts: Sequence[Bits], places: Sequence[Ids], rows: int) -> Bits:
    """The columns of all questions, bool (rows, sum of k); False where a question says nothing of a row."""
    whole = np.zeros((rows, sum(part.shape[1] for part in parts)), np.bool_)
    column = 0
    for part, at in zip(parts, places, strict=True):
        whole[at, column : column + part.shape[1]] = part
        column += part.shape[1]
    return whole


def parts_of(rows: Rows, also: Collection[str] = ()) -> dict[str, Part]:
    """By media, the part that it plays, for encoders that learn from the training part; a media with frames in several
    parts counts as learned from. also: media without answers that were learned from."""
    found: dict[str, Part] = {}
    for part in ("test", "validation", "train"):
        found |= dict.fromkeys(np.unique(rows.media[rows.part(part)]).tolist(), part)
    return found | dict.fromkeys(also, "train")


def _numbers(names: Sequence[str], parts: Mapping[str, Part]) -> NDArray[np.int8]:
    return np.array([PARTS.index(parts[name]) if name in parts else -1 for name in names], np.int8)


def _notes(*notes: str) -> tuple[str, ...]:
    return tuple(note for note in notes if note)
