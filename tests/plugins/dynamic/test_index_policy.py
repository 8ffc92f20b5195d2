"""Which kind of search an index chooses by its size and by the memory it may take."""

from __future__ import annotations

import pytest

from espalier_dynamic.index_policy import IndexPolicy


@pytest.mark.parametrize(
    ("count", "dim", "memory_mb", "kind"),
    [
        (0, 384, 4096, "exact"),
        (1, 384, 4096, "exact"),
        (10_000, 384, 4096, "exact"),
        (50_000, 384, 4096, "exact"),
        (100_000, 384, 4096, "IVF632,SQ8"),
        (100_000, 1024, 4096, "IVF632,SQ8"),
        (1_000_000, 384, 4096, "IVF2000,SQ8"),
        (1_000_000, 384, 600, "IVF2000,SQ4"),
        (1_000_000, 384, 300, "IVF2000,SQ4 from the disk"),
        (20_000_000, 768, 4096, "IVF8944,SQ4 from the disk"),
        (10_000, 384, 0, "exact"),
    ],
)
def test_the_kind_follows_from_size_and_memory(count: int, dim: int, memory_mb: int, kind: str) -> None:
    codes = IndexPolicy().codes(count, dim, memory_mb)
    said = "exact" if codes is None else f"IVF{codes.cells},{codes.bits}{' from the disk' * codes.mapped}"
    assert said == kind


def test_a_cell_is_learned_from_thirty_rows_at_least() -> None:
    codes = IndexPolicy(exact_mb=0).codes(240, 24, 4096)
    assert codes is not None
    assert codes.cells == 8


def test_the_reason_names_the_numbers() -> None:
    codes = IndexPolicy().codes(1_000_000, 384, 600)
    assert codes is not None
    assert codes.reason == (
        "1,000,000 rows of 384 numbers are 1,536 MB, more than the 80 MB searched exactly; 300 MB of memory hold no "
        "8 bits a number, so they are kept in 4 bits, 192 MB"
    )


@pytest.mark.parametrize(
    ("held", "changed", "worth"),
    [(0, 0, False), (0, 4096, False), (0, 4097, True), (1_000_000, 50_000, False), (1_000_000, 50_001, True)],
)
def test_a_new_generation_is_written_when_enough_has_changed(held: int, changed: int, worth: bool) -> None:
    assert IndexPolicy().worth_saving(held, changed) is worth
