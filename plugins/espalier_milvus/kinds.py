"""Which index Milvus builds for how many vectors, and how hard it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

METRIC = "COSINE"
EXACT_BELOW = 50_000
"""A segment of so many is scanned in milliseconds, and nothing is missed."""
GRAPH_BELOW = 2_000_000
"""A graph is the fastest, but takes its links' memory on top, and hours to build beyond."""


@dataclass(frozen=True)
class Kind:
    """`effort` is the search parameter that buys recall with time; `efforts` are tried from the first on."""

    name: str
    words: str
    """As reports say it."""
    built_with: dict[str, Any] = field(default_factory=dict)
    effort: str = ""
    efforts: tuple[int, ...] = ()

    @property
    def exact(self) -> bool:
        return not self.effort

    def search(self, effort: int | None, k: int) -> dict[str, Any]:
        """Search parameters; without a known effort the greatest. A graph must look at k nodes at least."""
        if self.exact:
            return {"metric_type": METRIC}
        chosen = effort or self.efforts[-1]
        return {"metric_type": METRIC, "params": {self.effort: max(chosen, k) if self.effort == "ef" else chosen}}


FLAT = Kind("FLAT", "exact")
GRAPH = Kind("HNSW", "HNSW32", {"M": 32, "efConstruction": 256}, "ef", (64, 128, 256, 512, 1024))
LISTS = 4096
CELLS = Kind("IVF_FLAT", f"IVF{LISTS},Flat", {"nlist": LISTS}, "nprobe", (16, 32, 64, 128, 256, 512, 1024, LISTS))
"""With all its cells looked at it is exact, so that any recall can be had."""


def kind_for(vectors: int) -> Kind:
    if vectors < EXACT_BELOW:
        return FLAT
    return GRAPH if vectors < GRAPH_BELOW else CELLS


def kind_named(name: str) -> Kind:
    """What Milvus says is there; what somebody else built is searched as if it were exact, by its own defaults."""
    return {kind.name: kind for kind in (GRAPH, CELLS)}.get(name, FLAT)
