"""Allowed ids as expressions: read back, they hold for those ids and no others that are held."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier.contract import Ids
from espalier_milvus import conditions

ID = st.integers(0, 2**24 * 40).map(lambda number: number if number % 3 else number >> 18 << 18)
IDS = st.sets(ID, min_size=1, max_size=60)
RUNS = st.lists(st.tuples(ID, st.integers(1, 80)), min_size=1, max_size=6)


def matching(expression: str, held: Ids) -> list[int]:
    """Those that an expression of ours holds for, read with nothing but Python."""
    only = re.fullmatch(r"(?:media in \[(.*?)\] and )?\((.*)\)", expression)
    assert only is not None
    ranges = [(int(a), int(b)) for a, b in re.findall(r"\(id >= (\d+) and id <= (\d+)\)", only[2])]
    listed = {int(id) for part in re.findall(r"id in \[(.*?)\]", only[2]) for id in part.split(", ")}
    media = None if only[1] is None else {int(number) for number in only[1].split(", ")}
    return [
        id
        for id in held.tolist()
        if (media is None or id >> 24 in media) and (id in listed or any(a <= id <= b for a, b in ranges))
    ]


def ids_of(numbers: set[int], runs: list[tuple[int, int]]) -> Ids:
    return np.array(sorted(numbers.union(*(range(first, first + count) for first, count in runs))), np.int64)


@given(IDS, RUNS, IDS, RUNS, st.booleans(), st.sampled_from([1, 2, 256]))
def test_expressions_hold_for_what_is_allowed_and_nothing_else(
    numbers: set[int],
    runs: list[tuple[int, int]],
    others: set[int],
    more: list[tuple[int, int]],
    known: bool,
    most: int,
) -> None:
    allowed = ids_of(numbers, runs)
    held = np.union1d(allowed, ids_of(others, more)).astype(np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions, "RANGES", most)
        patch.setattr(conditions, "IDS", 3 * most)
        found = [matching(each, held) for each in conditions.expressions(allowed, held if known else None)]
    assert sorted(id for each in found for id in each) == allowed.tolist(), "each once, in one expression alone"


def test_frames_of_a_stride_are_one_range_where_nothing_lies_between() -> None:
    held = np.arange(0, 1000, 10)
    assert conditions.expressions(held[20:80], held) == ["media in [0] and ((id >= 200 and id <= 790))"]
    assert conditions.expressions(held[20:22]) == ["media in [0] and (id in [200, 210])"]


def test_a_hundred_thousand_ids_are_a_few_expressions() -> None:
    scattered = np.arange(100_000, dtype=np.int64) << 24
    assert len(conditions.expressions(scattered)) == 10
    assert "media" not in conditions.expressions(scattered)[0]
