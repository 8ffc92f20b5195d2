"""The indexes that `bench.index` compares, each built from the same rows and asked in the same way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import hnswlib
import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from usearch.index import Index as UsearchIndex

from espalier.contract import IndexRequest
from espalier_dynamic import FaissIndex

Rows = NDArray[np.float32]
Ids = NDArray[np.int64]
Search = Callable[[Rows], Ids]
DIM, K, THREADS = 384, 20, 2


@dataclass
class Case:
    """One index: its search gives int64 (m, 20); build_s and memory in MB (growth of the process, mapped pages too)."""

    name: str
    search: Search
    build_s: float = 0.0
    memory_mb: float = 0.0


def built(name: str, build: Callable[[], Search]) -> Case:
    before, start = resident_mb(), time.perf_counter()
    search = build()
    return Case(name, search, time.perf_counter() - start, resident_mb() - before)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def espalier(rows: Rows, directory: Path) -> FaissIndex:
    """Added in parts of 10,000, each on the disk before the next, saved, and opened again: so it is used."""
    request = IndexRequest("bench", DIM, "0123456789abcdef", directory, threads=THREADS)
    index = FaissIndex.open(request)
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000]
        index.add(np.arange(start, start + len(part)), part)
    index.save()
    index.close()
    return FaissIndex.open(request)


def bare_faiss(rows: Rows, index: FaissIndex) -> Search:
    """The same kind with the same numbers: centres from as many rows, as many cells searched and rows compared."""
    how = index._generation.approximation
    if how is None:
        flat = faiss.IndexFlatIP(DIM)
        flat.add(rows)
        return asked(lambda queries: flat.search(queries, K)[1])
    faiss.omp_set_num_threads(THREADS)
    cells: Any = faiss.index_factory(DIM, f"{how.cells.kind},RFlat", faiss.METRIC_INNER_PRODUCT)
    inner = faiss.extract_index_ivf(cells)
    inner.cp.max_points_per_centroid, inner.cp.niter, inner.cp.spherical = 40, 6, True
    cells.train(rows)
    cells.add(rows)
    cells.k_factor, inner.nprobe = how.tuned.refine, how.tuned.probes_for(K)
    return asked(lambda queries: cells.search(queries, K)[1])


def exact_faiss(rows: Rows) -> Search:
    return asked(lambda queries: faiss.knn(queries, rows, K, metric=faiss.METRIC_INNER_PRODUCT)[1])


def scikit_learn(rows: Rows) -> Search:
    brute = NearestNeighbors(n_neighbors=K, algorithm="brute", metric="cosine").fit(rows)
    return lambda queries: np.asarray(brute.kneighbors(queries, return_distance=False), np.int64)


def hnsw(rows: Rows) -> tuple[Search, Callable[[int], None]]:
    """Its search, and what sets how much it looks at."""
    graph = hnswlib.Index(space="ip", dim=DIM)
    graph.init_index(max_elements=len(rows), M=16, ef_construction=200, random_seed=0)
    graph.add_items(rows, num_threads=THREADS)

    def search(queries: Rows) -> Ids:
        threads = THREADS if len(queries) > 1 else 1
        return np.asarray(graph.knn_query(queries, K, num_threads=threads)[0], np.int64)

    return search, graph.set_ef


def usearch(rows: Rows) -> tuple[Search, Callable[[int], None]]:
    graph = UsearchIndex(ndim=DIM, metric="ip", dtype="bf16")
    graph.add(np.arange(len(rows)), rows, threads=THREADS)

    def search(queries: Rows) -> Ids:
        threads = THREADS if len(queries) > 1 else 1
        return np.asarray(graph.search(queries, K, threads=threads).keys, np.int64).reshape(len(queries), K)

    def look(expansion: int) -> None:
        graph.expansion_search = expansion

    return search, look


def asked(search: Search) -> Search:
    """FAISS as Espalier asks it: one thread for a single query, and batches as matrix products."""

    def threaded(queries: Rows) -> Ids:
        faiss.omp_set_num_threads(THREADS if len(queries) > 1 else 1)
        faiss.cvar.distance_compute_blas_threshold = 6
        return search(queries)

    return threaded
