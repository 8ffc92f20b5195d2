"""Allowed ids as expressions of Milvus: ranges where many lie beside each other, lists for the rest."""

from __future__ import annotations

from itertools import zip_longest
from typing import TypeVar

import numpy as np

from espalier.contract import Ids

T = TypeVar("T")

RANGES = 256
IDS = 10_000
"""In one expression; a server parses it anew for each search, in time that grows with it."""
MEDIA = 16
_LONG = 16
"""Consecutive ids from which on a range is parsed faster than a list (milvus-lite: 0.5 ms against 25 µs an id)."""


def breaks(allowed: Ids, held: Ids | None = None) -> Ids:
    """Where a new run of consecutive ids begins, as places in `allowed`, the first one (0) left out.

    With held, ascending ids, two belong together where nothing that is held lies between them: frames that were
    embedded with a stride are as good as consecutive then.
    """
    if held is None:
        apart = np.diff(allowed) > 1
    else:
        apart = np.searchsorted(held, allowed[1:]) > np.searchsorted(held, allowed[:-1], side="right")
    return np.flatnonzero(apart).astype(np.int64) + 1


def expressions(allowed: Ids, held: Ids | None = None) -> list[str]:
    """Together they hold for all of `allowed`, ascending distinct int64 (n,), n >= 1, and no id matches two of them.

    Without held they hold for nothing else; with it, for nothing else among those that are held.
    """
    starts = np.concatenate([[0], breaks(allowed, held)]).astype(np.int64)
    stops = np.append(starts[1:], len(allowed))
    long = stops - starts >= _LONG
    ranges = [
        f"(id >= {first} and id <= {last})"
        for first, last in zip(allowed[starts[long]].tolist(), allowed[stops[long] - 1].tolist(), strict=True)
    ]
    single = np.repeat(~long, stops - starts)
    ids = allowed[single].tolist()
    media = np.unique(allowed >> 24)
    only = f"media in {media.tolist()} and " if len(media) <= MEDIA else ""
    id_parts = [f"id in {part}" for part in _parts(ids, IDS)]
    parts = zip_longest(map(" or ".join, _parts(ranges, RANGES)), id_parts)
    return [f"{only}({' or '.join(part for part in both if part)})" for both in parts]


def _parts(things: list[T], most: int) -> list[list[T]]:
    return [things[at : at + most] for at in range(0, len(things), most)]
