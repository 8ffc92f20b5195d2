"""Which answers to one classification may stand together on a frame."""

from __future__ import annotations

from collections.abc import Sequence

from .answers import PERSON, Answer
from .frames import Frames, Range
from .tree import Classification, Path


def contest(classification: Classification, answers: Sequence[Answer]) -> tuple[list[Answer], list[Answer]]:
    """The answers that stand, and those that lose to another option, both in the order given.

    Where only one option may hold, that of the highest confidence does, and on a tie the one that the configuration
    names first. An answer that a deeper one below it already says, or that is given twice, goes without having lost.
    """
    place = {option.path: index for index, option in enumerate(classification.options)}
    by_rank = sorted(
        range(len(answers)),
        key=lambda index: (
            -answers[index].confidence,
            answers[index].source != PERSON,
            place.get(answers[index].option, len(place)),
            answers[index].source,
        ),
    )
    whole = classification.scope == "media"
    spans: list[tuple[int, bool, int]] = []
    for rank, index in enumerate(by_rank):
        for start, stop in ((0, 1),) if whole else answers[index].frames.ranges:
            spans += [(start, True, rank), (stop, False, rank)]
    standing: list[list[Range]] = [[] for _ in answers]
    losing: list[list[Range]] = [[] for _ in answers]
    active: set[int] = set()
    begin = 0
    for position, opens, rank in sorted(spans):
        if active and position > begin:
            ranked = [by_rank[one] for one in sorted(active)]
            stand, lose = _decide([answers[one].option for one in ranked], classification.exclusive)
            for one in stand:
                standing[ranked[one]].append((begin, position))
            for one in lose:
                losing[ranked[one]].append((begin, position))
        begin = position
        (active.add if opens else active.discard)(rank)
    return _kept(answers, standing, whole), _kept(answers, losing, whole)


def _decide(options: Sequence[Path], exclusive: bool) -> tuple[list[int], list[int]]:
    """Positions of the options that stand and that lose on one frame. options: by rank, the best first."""
    if len(options) == 1:
        return [0], []
    chosen: dict[Path, int] = {}
    lose = []
    for index, option in enumerate(options):
        if option in chosen:
            continue
        if exclusive and not all(_one_chain(option, other) for other in chosen):
            lose.append(index)
        else:
            chosen[option] = index
    implied = {option[:depth] for option in chosen for depth in range(1, len(option))}
    return [index for option, index in chosen.items() if option not in implied], lose


def _one_chain(one: Path, other: Path) -> bool:
    depth = min(len(one), len(other))
    return one[:depth] == other[:depth]


def _kept(answers: Sequence[Answer], ranges: Sequence[Sequence[Range]], whole: bool) -> list[Answer]:
    return [
        answer if whole else answer.on(Frames.of(*found))
        for answer, found in zip(answers, ranges, strict=True)
        if found
    ]
