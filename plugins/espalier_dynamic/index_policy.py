"""When an index stays exact, when it approximates and how, and when it is written anew: the numbers, and why.

Measured with 384 dimensions on one thread (`python -m bench index` prints the table again).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Codes:
    """An approximate kind: how many cells, how many bits of each number, and whether they stay on the disk."""

    cells: int
    bits: Literal["SQ8", "SQ4"]
    mapped: bool
    reason: str


@dataclass(frozen=True)
class IndexPolicy:
    """Tests take smaller numbers, so that every kind is seen with few rows."""

    exact_mb: float = 80.0
    """Rows of this size are searched exactly: 50,000 x 384 take about 4 ms, and nothing needs to be learned. Twice as
    many took 10 ms on a quiet machine and 45 ms where others wanted its memory, too; in cells, 1 ms."""
    gather_mb: float = 75.0
    """Allowed rows of this size are compared one by one whatever the size of the index: 5 to 10 ms, and exact."""
    codes_share: float = 0.5
    """Of `memory_mb`, what the codes may take; the rest is for the tail, for centres, and for learning them."""
    sample_per_cell: int = 40
    """Rows from which each centre is learned."""
    judged: int = 512
    """Rows whose neighbours are looked for, half of them to choose how many cells are searched, half to measure."""
    merge_rows: int = 4096
    """So many rows may wait in the journal whatever the size of the index ..."""
    merge_share: float = 0.05
    """... or this share of it, before `save` writes a new generation: opening reads them in a moment."""
    verify_mb: int = 2048
    """Files up to this size are compared with their checksums when opened; of larger ones, blocks spread evenly."""

    def codes(self, count: int, dim: int, memory_mb: int) -> Codes | None:
        """How `count` rows are searched, None for exactly."""
        size = _mb(count * dim * 4)
        if size <= self.exact_mb or count < 2:
            return None
        cells = max(1, min(int(2 * math.sqrt(count)), count // 30))
        large = (
            f"{count:,} rows of {dim} numbers are {size:,.0f} MB, more than the {self.exact_mb:g} MB searched exactly"
        )
        room = memory_mb * self.codes_share
        if (eight := _mb(count * dim)) <= room:
            return Codes(cells, "SQ8", False, f"{large}; in 8 bits a number they take {eight:,.0f} MB")
        four = _mb(count * dim / 2)
        tight = f"{large}; {room:,.0f} MB of memory hold no 8 bits a number"
        if four <= room:
            return Codes(cells, "SQ4", False, f"{tight}, so they are kept in 4 bits, {four:,.0f} MB")
        return Codes(cells, "SQ4", True, f"{tight}, and no 4 bits: these are read from the disk as they are needed")

    def exactly(self, count: int, dim: int) -> str:
        """Why search is exact, in words."""
        size = _mb(count * dim * 4)
        return f"{count:,} rows of {dim} numbers are {size:,.1f} MB: up to {self.exact_mb:g} MB are searched exactly"

    def gathers(self, count: int, dim: int) -> bool:
        """Whether so many allowed rows are compared one by one."""
        return _mb(count * dim * 4) <= self.gather_mb

    def worth_saving(self, held: int, changed: int) -> bool:
        return changed > max(self.merge_rows, self.merge_share * held)


def _mb(size_bytes: float) -> float:
    return size_bytes / 1e6
