"""The index over FAISS keeps the contract, whatever kind it is of; conditions hold within the search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from espalier.contract import Ids, IndexRequest
from espalier.testing import check_index
from espalier_dynamic import FaissIndex
from espalier_dynamic.index_policy import IndexPolicy

from .unit_rows import scenes

DIM = 24


class AlwaysSaved(FaissIndex):
    policy = IndexPolicy(merge_rows=0, merge_share=0)


class Approximate(FaissIndex):
    policy = IndexPolicy(exact_mb=0, gather_mb=0, merge_rows=0, merge_share=0)


def request_in(directory: Path, *, memory_mb: int = 4096, recall: float = 0.9) -> IndexRequest:
    return IndexRequest("frames", DIM, "0123456789abcdef", directory / "index", recall=recall, memory_mb=memory_mb)


@pytest.mark.parametrize("index", [FaissIndex, AlwaysSaved, Approximate])
@pytest.mark.parametrize("memory_mb", [4096, 0], ids=["in memory", "from the disk"])
def test_it_keeps_the_contract(index: type[FaissIndex], memory_mb: int, tmp_path: Path) -> None:
    check_index(index, request_in(tmp_path, memory_mb=memory_mb))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Callable[[type[FaissIndex]], FaissIndex]:
    """An index of 3000 rows in a generation, of which 60 were removed, and 40 in the tail."""
    opened: dict[type[FaissIndex], FaissIndex] = {}

    def opener(kind: type[FaissIndex]) -> FaissIndex:
        if kind not in opened:
            index = kind.open(request_in(tmp_path_factory.mktemp("held")))
            index.add(np.arange(3000) * 2, scenes(3000, DIM))
            index.save()
            index.remove(np.arange(0, 600, 10))
            index.add(np.arange(7000, 7040), scenes(40, DIM, seed=1))
            opened[kind] = index
        return opened[kind]

    return opener


def rows_of(ids: Ids) -> dict[int, int]:
    return {id: place for place, id in enumerate(ids.tolist())}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([AlwaysSaved, Approximate]),
    seed=st.integers(0, 2**32 - 1),
    share=st.floats(0, 1),
    first=st.integers(0, 7000),
    length=st.integers(0, 7100),
    k=st.integers(1, 40),
    queries=st.integers(1, 9),
)
def test_a_search_among_allowed_ids_is_brute_force_over_them(
    held: Callable[[type[FaissIndex]], FaissIndex],
    kind: type[FaissIndex],
    seed: int,
    share: float,
    first: int,
    length: int,
    k: int,
    queries: int,
) -> None:
    index, rng = held(kind), np.random.default_rng(seed)
    around = np.arange(first, first + length)
    allowed = around[rng.random(length) < share]  # among them ids that nobody holds
    asked = scenes(queries, DIM, seed=seed % 1000)
    ids = index.ids()
    everything = np.concatenate([scenes(3000, DIM), scenes(40, DIM, seed=1)])
    place = np.where(ids < 7000, ids // 2, 3000 + ids - 7000)
    here = np.isin(ids, allowed)
    ids, rows = ids[here], everything[place[here]]
    found, scores = index.search(asked, k, allowed)
    count = min(k, len(ids))
    assert (found[:, count:] == -1).all()
    assert (scores[:, count:] == -1).all()
    assert np.isin(found[:, :count], ids).all()
    best = -np.sort(-(asked @ rows.T), axis=1)[:, :count]
    # Bits decide which candidates are compared in full: the last place may go to a row that lies as near but for them.
    assert np.abs(best - scores[:, :count]).max(initial=0) < (1e-5 if kind is AlwaysSaved else 1e-2)
