"""How a new generation is written: all rows together, and the cells where there are too many to be searched exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from espalier.contract import Embeddings, Ids, IndexRequest

from .index_cells import Cells, K, build_cells
from .index_generation import IDS, ROWS, Generation, map_rows
from .index_policy import Codes, IndexPolicy
from .index_tail import Tail
from .index_tuning import Tuned, tune
from .sealed_directory import seal

BLOCK_ROWS = 8192
OUTGROWN = 2.0
"""Centres are learned again when there are so many times more rows than when they were, or so many times fewer."""


def write_generation(
    directory: Path, generation: Generation, tail: Tail, request: IndexRequest, policy: IndexPolicy
) -> None:
    """What is alive in the generation and what is in the tail, as one new generation. On the disk when it returns."""
    kept = np.flatnonzero(generation.alive)
    ids = np.concatenate([generation.ids[kept], tail.ids])
    order = np.argsort(ids, kind="stable")
    # Where each row comes from: a place in the old generation, or -1 - a place in the tail.
    source = np.concatenate([kept, -1 - np.arange(len(tail))])[order]

    def write(draft: Path) -> dict[str, Any]:
        np.ascontiguousarray(ids[order], "<i8").tofile(draft / IDS)
        with (draft / ROWS).open("wb") as file:
            for start in range(0, len(source), BLOCK_ROWS):
                _block(generation, tail, source[start : start + BLOCK_ROWS]).tofile(file)
        about = {"count": len(ids), "approximation": None, "reason": policy.exactly(len(ids), request.dim)}
        codes = policy.codes(len(ids), request.dim, request.memory_mb)
        if codes is None:
            return about
        return about | _approximate(draft, codes, generation, source, request, policy)

    seal(directory, write)


def _block(generation: Generation, tail: Tail, source: Ids) -> Embeddings:
    block = np.empty((len(source), generation.rows.shape[1]), np.float32)
    old = source >= 0
    block[old] = generation.rows[source[old]]
    block[~old] = tail.rows[-1 - source[~old]]
    return block


def _approximate(
    draft: Path, codes: Codes, generation: Generation, source: Ids, request: IndexRequest, policy: IndexPolicy
) -> dict[str, Any]:
    """Writes the cells into the draft; what it returns is said of them."""
    rows = map_rows(draft, len(source), request.dim)
    # Half of the memory at most holds the rows from which centres are learned.
    room = int(request.memory_mb * 1e6 * (1 - policy.codes_share) / (4 * request.dim))
    sample = max(codes.cells * 10, min(codes.cells * policy.sample_per_cell, room))
    before = generation.approximation
    cells, learned_from = None, len(source)
    if before is not None and len(source) / OUTGROWN <= before.learned_from <= len(source) * OUTGROWN:
        known = np.full(len(source), -1, np.int32)
        known[source >= 0] = before.cells.of_rows[source[source >= 0]]
        cells = build_cells(rows, codes, sample_rows=sample, centres=before.cells.centres(), known=known)
        learned_from = before.learned_from
    else:
        cells = build_cells(rows, codes, sample_rows=sample)
    tuned = tune(cells, rows, recall=request.recall, judged=policy.judged)
    if tuned is None:
        return {"reason": f"{codes.reason}; but no search of cells found {request.recall:g} of the 20 nearest: exact"}
    try:
        cells.write(draft)
    except RuntimeError as error:  # in which faiss puts what the disk said
        raise OSError(str(error)) from error
    held = {"codes": codes.bits, "mapped": codes.mapped, "tuned": tuned.to_json(), "learned_from": learned_from}
    return {"approximation": held, "reason": f"{codes.reason}; {_words(cells, tuned, policy)}"}


def _words(cells: Cells, tuned: Tuned, policy: IndexPolicy) -> str:
    return (
        f"{tuned.probes_for(K)} of {cells.count} cells are searched, the best {K * tuned.refine} compared in full: "
        f"{tuned.recall:.4f} of the 20 nearest are found, measured on {policy.judged // 2} of its own rows"
    )
