"""An approximate index finds what it promises, says so, and grows without learning everything again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from espalier.contract import IndexRequest
from espalier_dynamic import FaissIndex
from espalier_dynamic.index_policy import IndexPolicy

from .unit_rows import found_share, scenes

DIM, COUNT = 32, 12_000
ROWS = scenes(COUNT, DIM)
QUERIES = scenes(400, DIM, seed=9)
IDS = np.arange(COUNT) * 5 + 1


class Approximate(FaissIndex):
    policy = IndexPolicy(exact_mb=1, gather_mb=0.1, merge_rows=0, merge_share=0)


def opened(directory: Path, *, memory_mb: int = 4096, recall: float = 0.99) -> FaissIndex:
    asked = IndexRequest("frames", DIM, "0123456789abcdef", directory, recall=recall, memory_mb=memory_mb)
    return Approximate.open(asked)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> FaissIndex:
    index = opened(tmp_path_factory.mktemp("index"))
    index.add(IDS, ROWS)
    index.save()
    return index


def test_it_reaches_the_recall_asked_for_on_pictures_it_has_not_seen(index: FaissIndex) -> None:
    found, _ = index.search(QUERIES, 20)
    assert found_share(QUERIES, ROWS, IDS, found) >= 0.99


@pytest.mark.parametrize("k", [1, 5, 100, 400])
def test_it_reaches_the_recall_for_other_numbers_of_neighbours(index: FaissIndex, k: int) -> None:
    found, _ = index.search(QUERIES, k)
    assert found_share(QUERIES, ROWS, IDS, found) >= 0.985


def test_it_does_not_look_at_everything(index: FaissIndex) -> None:
    generation = index._generation
    assert generation.approximation is not None
    assert generation.approximation.tuned.probes_for(20) < generation.approximation.cells.count / 2


def test_it_says_what_it_is_and_why(index: FaissIndex) -> None:
    report = index.report()
    assert report.kind == "IVF219,SQ8"
    assert report.vectors == COUNT
    assert report.recall is not None
    assert report.recall >= 0.99
    assert report.size_bytes < ROWS.nbytes * 0.5
    assert "12,000 rows of 32 numbers are 2 MB, more than the 1 MB searched exactly" in report.reason
    assert "of 219 cells are searched" in report.reason


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_condition_that_forbids_what_is_near_is_searched_where_it_allows(index: FaissIndex, seed: int) -> None:
    query = QUERIES[seed * 50 : seed * 50 + 1]
    cosines = (ROWS @ query.T)[:, 0]
    far = np.flatnonzero(cosines < np.quantile(cosines, 0.4))
    found, _ = index.search(query, 20, IDS[far])
    assert found_share(query, ROWS[far], IDS[far], found) >= 0.95


def test_few_bits_are_chosen_where_memory_is_short_and_keep_the_recall(tmp_path: Path) -> None:
    for memory_mb, mapped in ((4096, False), (0, True)):
        index = opened(tmp_path / str(memory_mb), memory_mb=memory_mb)
        index.add(IDS, ROWS)
        index.save()
        report = index.report()
        assert report.kind.endswith("SQ4" if mapped else "SQ8")
        found, _ = index.search(QUERIES, 20)
        assert found_share(QUERIES, ROWS, IDS, found) >= 0.99
        if mapped:
            assert "read from the disk" in report.reason


def test_what_comes_and_goes_keeps_the_recall_and_the_centres(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.add(IDS[:8000], ROWS[:8000])
    index.save()
    first = index._generation.approximation
    index.add(IDS[8000:], ROWS[8000:])
    index.remove(IDS[:1000])
    found, _ = index.search(QUERIES, 20)
    assert found_share(QUERIES, ROWS[1000:], IDS[1000:], found) >= 0.99
    assert "4000 came, searched exactly, and 1000 went" in index.report().reason
    index.save()
    second = index._generation.approximation
    assert first is not None
    assert second is not None
    assert np.array_equal(first.cells.centres(), second.cells.centres())
    found, _ = index.search(QUERIES, 20)
    assert found_share(QUERIES, ROWS[1000:], IDS[1000:], found) >= 0.99


def test_centres_are_learned_again_when_they_are_outgrown(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.add(IDS[:8000], ROWS[:8000])
    index.save()
    rows = scenes(9000, DIM, seed=5)
    index.add(np.arange(9000) * 5 + 3, rows)
    index.save()
    assert index.report().kind == "IVF260,SQ8"


def test_too_few_are_searched_exactly_again(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.add(IDS, ROWS)
    index.save()
    index.remove(IDS[3000:])
    index.save()
    report = index.report()
    assert (report.kind, report.recall) == ("exact", None)
    assert report.vectors == 3000
    assert "up to 1 MB are searched exactly" in report.reason


def test_what_is_near_nothing_is_found_all_the_same(tmp_path: Path) -> None:
    """Rows without any order: cells are no help, and the promise holds by searching many of them, or all."""
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(6000, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    index = Approximate.open(
        IndexRequest("frames", DIM, "0123456789abcdef", tmp_path / "index", recall=0.99),
    )
    index.add(np.arange(6000), rows)
    index.save()
    queries = rng.normal(size=(200, DIM)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    found, _ = index.search(queries, 20)
    assert found_share(queries, rows, np.arange(6000), found) >= 0.99
