"""The best pairs are those of brute force, whatever the blocks and the bound are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.similarity import close_pairs as module
from espalier.similarity.close_pairs import close_pairs
from espalier.similarity.pairs import most_similar

Floats = NDArray[np.float32]


def units(rows: int, dim: int, seed: int, *, kinds: int = 5) -> Floats:
    """In clumps, so that some are close."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(kinds, dim))[rng.integers(kinds, size=rows)] + rng.normal(size=(rows, dim)) * rng.random()
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 16)
    monkeypatch.setattr(module, "_LEADING", 4)
    monkeypatch.setattr(module, "_FEW", 0.1)
    monkeypatch.setattr(module, "_AGAIN", 2)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 60), st.sampled_from([3, 8, 9, 40]), st.integers(0, 999), st.floats(-1, 1))
def test_close_pairs_are_all_pairs_above_the_bound(
    small_blocks: None, n: int, dim: int, seed: int, least: float
) -> None:
    rows = units(n, dim, seed)
    alike = rows.astype(np.float64) @ rows.T.astype(np.float64)
    found = {}
    for i, j, scores in close_pairs(rows, lambda: least):
        assert (i < j).all()
        for a, b, score in zip(i.tolist(), j.tolist(), scores.tolist(), strict=True):
            assert (a, b) not in found
            assert score == pytest.approx(alike[a, b], abs=1e-5)
            found[a, b] = score
    for a in range(n):
        for b in range(a + 1, n):
            if abs(alike[a, b] - least) > 1e-5:
                assert ((a, b) in found) == (alike[a, b] > least)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 60), st.integers(1, 30), st.integers(0, 999), st.integers(1, 60), st.booleans())
def test_the_best_pairs_are_those_of_brute_force(
    small_blocks: None, n: int, k: int, seed: int, shots: int, sided: bool
) -> None:
    rows = units(n, 12, seed)
    rng = np.random.default_rng(seed)
    shot = rng.integers(shots, size=n)
    sides = rng.integers(1, 4, size=n).astype(np.int8) if sided else np.full(n, 3, np.int8)
    found = most_similar(rows, k, shots=shot, sides=sides if sided else None)
    best: dict[tuple[int, int], float] = {}
    for a in range(n):
        for b in range(a + 1, n):
            if shot[a] != shot[b] and ((sides[a] & 1 and sides[b] & 2) or (sides[b] & 1 and sides[a] & 2)):
                key = (min(shot[a], shot[b]), max(shot[a], shot[b]))
                best[key] = max(best.get(key, -2.0), float(rows[a].astype(np.float64) @ rows[b]))
    expected = sorted(best.values(), reverse=True)[:k]
    assert found.scores.tolist() == pytest.approx(expected, abs=1e-5)
    assert len({tuple(sorted(shot[pair].tolist())) for pair in found.rows}) == len(found.rows)


def test_pairs_of_equal_rows_score_one_and_repeat() -> None:
    rows = np.repeat(units(4, 200, 0), 3, axis=0)
    found = most_similar(rows, 5, shots=np.arange(12))
    assert found.scores.tolist() == [1.0] * 5
    assert found.rows.tolist() == [[0, 1], [0, 2], [1, 2], [3, 4], [3, 5]]


def test_nothing_is_found_under_the_least() -> None:
    found = most_similar(units(30, 64, 1, kinds=30), 10, shots=np.arange(30), least=0.99999)
    assert found.rows.shape == (0, 2)


def test_blocks_are_reported() -> None:
    told: list[Any] = []
    most_similar(units(10, 8, 0), 3, shots=np.arange(10), report=lambda done, total: told.append((done, total)))
    assert told == [(0, 1)]
