"""When an index stays exact, when it approximates, and how much it may do at once: the numbers, and why.

Measured on 384 dimensions, one thread (`python -m bench index` prints the table again).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IndexPolicy:
    """Tests take smaller numbers, so that every kind is seen with few rows."""

    exact_mb: int = 150
    """Rows of this size are searched exactly: 100,000 x 384 take about 10 ms, and nothing needs to be learned."""
    merge_rows: int = 4096
    """So many rows may wait in the journal whatever the size of the index ..."""
    merge_share: float = 0.05
    """... or this share of it, before `save` writes a new generation: opening reads them in a moment."""
    verify_mb: int = 512
    """Files up to this size are compared with their checksums when opened; of larger ones, blocks spread evenly."""
