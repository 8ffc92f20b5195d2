"""Approximate search: rows in cells around centres, in few bits a number; the best are compared again in full.

Of what FAISS has, this serves best here. Against exact search at 1,000,000 x 384 (a mixture, see `bench.index`), on one
thread: 0.4 ms instead of 100 ms at recall 0.99. IVF with full rows was slower than with 8 bits and a second comparison,
at four times the memory; HNSW takes many minutes to build and cannot forget.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from espalier.contract import Embeddings, Ids, Scores
from espalier.errors import BadIndex

from .index_exact import PRODUCTS_FROM
from .index_policy import Codes

Cell = NDArray[np.int32]
Bits = NDArray[np.bool_]

# What FAISS's own type stubs have not heard of.
_untyped: Any = faiss

CELLS, OF_ROWS = "cells.faiss", "cells.i32"
BLOCK_ROWS = 16384
K = 20
"""The number of neighbours for which recall is measured and promised."""
ROUNDS = 6
"""Of k-means; more of them move the centres, and the recall, hardly."""
RANGE_ROWS = 65536
"""From so many the range of each number is learned that its bits are spread over."""
TYPES = {"SQ8": faiss.ScalarQuantizer.QT_8bit, "SQ4": faiss.ScalarQuantizer.QT_4bit}


class Cells:
    """Positions of a generation's rows in their cells. `of_rows` int32 (n,): each row's cell."""

    def __init__(self, ivf: Any, of_rows: Cell, codes: str) -> None:
        self.ivf, self.of_rows, self.codes = ivf, of_rows, codes

    @property
    def count(self) -> int:
        return int(self.ivf.nlist)

    @property
    def kind(self) -> str:
        return f"IVF{self.count},{self.codes}"

    @property
    def size_bytes(self) -> int:
        return len(self.of_rows) * (int(self.ivf.code_size) + 8 + 4) + self.centres().nbytes

    def centres(self) -> Embeddings:
        """float32 (cells, dim)."""
        held: Embeddings = self.ivf.quantizer.reconstruct_n(0, self.count)
        return held

    def nearest(
        self,
        queries: Embeddings,
        rows: Embeddings,
        k: int,
        *,
        probes: int,
        refine: int,
        only: Bits | None = None,
    ) -> tuple[Ids, Scores]:
        """Positions int64 and cosines float32 (m, k), best first; position -1 where these cells hold fewer.

        probes: how many cells are searched; refine: how many candidates for each of the k (of 20, where k is less) are
        compared in full. only: bool (n,), what may be found.
        """
        wanted = min(max(k, K) * refine, len(rows))
        if only is None:
            self.ivf.nprobe = probes
            found = self.ivf.search(queries, wanted)[1]
        else:
            bitmap = np.packbits(only, bitorder="little")
            asked = _untyped.SearchParametersIVF(nprobe=probes, sel=_untyped.IDSelectorBitmap(bitmap))
            found = self.ivf.search(queries, wanted, params=asked)[1]
        return _compare(queries, rows, found, k)

    def write(self, directory: Path) -> None:
        faiss.write_index(self.ivf, str(directory / CELLS))
        np.ascontiguousarray(self.of_rows, "<i4").tofile(directory / OF_ROWS)

    @classmethod
    def read(cls, directory: Path, count: int, codes: str, *, mapped: bool) -> Cells:
        """mapped: the codes stay on the disk, and come into memory as they are asked for. Raises BadIndex."""
        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY if mapped else 0
        try:
            ivf = faiss.read_index(str(directory / CELLS), flags)
            of_rows = np.asarray(np.memmap(directory / OF_ROWS, "<i4", "r", shape=(count,)))
        except (RuntimeError, OSError, ValueError) as error:
            raise BadIndex(f"{directory / CELLS} cannot be read: {str(error).splitlines()[0]}") from None
        if ivf.ntotal != count:
            raise BadIndex(f"{directory / CELLS} holds {ivf.ntotal} rows, the generation {count}")
        return cls(ivf, of_rows, codes)


def build_cells(
    rows: Embeddings, codes: Codes, *, sample_rows: int, centres: Embeddings | None = None, known: Cell | None = None
) -> Cells:
    """rows float32 (n, dim), read in blocks. With `centres` none are learned; `known` int32 (n,): its cell or -1."""
    if centres is None:
        centres, known = learn_centres(rows, codes.cells, sample_rows), None
    dim = rows.shape[1]
    quantizer = faiss.IndexFlatIP(dim)
    quantizer.add(centres)
    ivf = faiss.IndexIVFScalarQuantizer(
        quantizer, dim, len(centres), TYPES[codes.bits], faiss.METRIC_INNER_PRODUCT, False
    )
    ivf.train(_sample(rows, RANGE_ROWS))
    of_rows = np.full(len(rows), -1, np.int32) if known is None else known.copy()
    faiss.cvar.distance_compute_blas_threshold = PRODUCTS_FROM
    for start, block in _blocks(rows):
        cells = of_rows[start : start + len(block)]
        new = np.flatnonzero(cells < 0)
        if len(new):
            cells[new] = quantizer.search(block[new], 1)[1][:, 0]
        wide = cells.astype(np.int64)
        ivf.add_core(len(block), faiss.swig_ptr(block), None, faiss.swig_ptr(wide))
    return Cells(ivf, of_rows, codes.bits)


def learn_centres(rows: Embeddings, count: int, sample_rows: int) -> Embeddings:
    """float32 (count, dim) of norm 1: spherical k-means on a sample, the same for the same rows."""
    learned = faiss.Clustering(rows.shape[1], count)
    learned.niter, learned.spherical, learned.seed = ROUNDS, True, 1
    learned.min_points_per_centroid = 1
    learned.max_points_per_centroid = max(1, -(-sample_rows // count))
    learned.train(_sample(rows, sample_rows), faiss.IndexFlatIP(rows.shape[1]))
    centres: Embeddings = faiss.vector_float_to_array(learned.centroids).reshape(count, rows.shape[1])
    return centres


def _compare(queries: Embeddings, rows: Embeddings, found: Ids, k: int) -> tuple[Ids, Scores]:
    """The k best of the candidates by their whole rows; -1 stays last."""
    best, scores = np.empty((len(found), k), np.int64), np.empty((len(found), k), np.float32)
    pointers = (faiss.swig_ptr(held) for held in (queries, rows, found))
    sizes, width = (rows.shape[1], len(queries), len(rows), found.shape[1], k), found.shape[1]
    # Its default for the width takes the number of rows instead.
    _untyped.knn_inner_products_by_idx(*pointers, *sizes, faiss.swig_ptr(scores), faiss.swig_ptr(best), width)
    return best, scores


def _sample(rows: Embeddings, count: int) -> Embeddings:
    if count >= len(rows):
        return np.ascontiguousarray(rows)
    chosen = np.sort(np.random.default_rng(0).choice(len(rows), count, replace=False))
    return np.ascontiguousarray(rows[chosen])


def _blocks(rows: Embeddings) -> Iterator[tuple[int, Embeddings]]:
    for start in range(0, len(rows), BLOCK_ROWS):
        yield start, np.ascontiguousarray(rows[start : start + BLOCK_ROWS])
