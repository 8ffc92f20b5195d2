"""How fast are the nearest found, and how many of them? Prints tables; run it on a quiet machine.

    python -m bench.index [--sizes 10000 100000 1000000] [--minutes 5]

Espalier's index (durable, with and without a condition that allows 1 %) beside bare FAISS of the same kind, exact
FAISS, usearch, hnswlib, and scikit-learn's brute force (FiftyOne's default), asked in turns in one process, with two
threads for builds and batches. usearch and hnswlib look at as much as recall 0.99 takes. A graph whose building would
take longer than --minutes, by what it took at the size before, is left out, and that is said.

The rows are made, 384 numbers each: half are single pictures of 1,000 themes, some with many, some with few; half are
frames of scenes of fifty that lie close together. Within a theme and within a scene they vary as embeddings do: in all
directions, in the n-th one 1/n as much as in the first. Queries are pictures and frames of other scenes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.neighbours import (
    DIM,
    THREADS,
    Case,
    Ids,
    K,
    Rows,
    Search,
    bare_faiss,
    built,
    espalier,
    exact_faiss,
    hnsw,
    scikit_learn,
    usearch,
)

QUERIES, RUN, ROUNDS, BATCH, BREATH_S = 200, 20, 7, 64, 0.1
LOOKS = (64, 128, 256, 512, 1024)


def mixture(count: int, *, seed: int) -> Rows:
    """float32 (count, 384) of norm 1; the themes are the same for every seed."""
    world, rng = np.random.default_rng(0), np.random.default_rng(seed)
    strength = np.arange(1, DIM + 1) ** -0.5
    strength /= np.linalg.norm(strength)
    turns = [np.linalg.qr(world.normal(size=(DIM, DIM)))[0] for _ in range(8)]
    spread = [np.asarray(strength[:, None] * turn.T, np.float32) for turn in turns]
    themes = world.standard_normal((1000, DIM), dtype=np.float32) @ spread[0]
    family = world.integers(1, 8, len(themes))
    often = np.arange(1, len(themes) + 1) ** -0.7

    def around_themes(some: int) -> Rows:
        theme = rng.choice(len(themes), some, p=often / often.sum())
        rows = themes[theme]
        for one in range(1, 8):
            here = np.flatnonzero(family[theme] == one)
            rows[here] += 0.8 * (rng.standard_normal((len(here), DIM), dtype=np.float32) @ spread[one])
        return rows

    rows = np.empty((count, DIM), np.float32)
    half = count // 2
    scenes = around_themes(-(-(count - half) // 50))
    for start in range(0, count, 50_000):
        stop = min(count, start + 50_000)
        single = max(0, min(half, stop) - start)
        rows[start : start + single] = around_themes(single)
        frames = np.arange(start + single, stop) - half
        noise = rng.standard_normal((len(frames), DIM), dtype=np.float32) @ spread[1]
        rows[start + single : stop] = scenes[frames // 50] + 0.3 * noise
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


class Size:
    """All cases at one number of rows."""

    def __init__(self, count: int, minutes: float, graphs: dict[str, float]) -> None:
        """graphs: seconds that each took for one row at the size before; brought up to date."""
        self.count, self.minutes, self.graphs = count, minutes, graphs
        self.rows, self.queries = mixture(count, seed=1), np.random.default_rng(2).permutation(mixture(400, seed=3))
        self.queries = self.queries[:QUERIES]
        self.true = exact_faiss(self.rows)(self.queries)

    def run(self) -> None:
        print(f"### {self.count:,} x {DIM}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n", flush=True)
        with tempfile.TemporaryDirectory() as directory:
            start = time.perf_counter()
            index = espalier(self.rows, Path(directory) / "index")
            build_s = time.perf_counter() - start
            report = index.report()
            allowed = np.sort(np.random.default_rng(4).choice(self.count, self.count // 100, replace=False))
            cases = [
                Case(f"Espalier ({report.kind})", lambda q: index.search(q, K)[0], build_s, report.size_bytes / 1e6),
                built("bare FAISS of the same kind", lambda: bare_faiss(self.rows, index)),
                built("exact FAISS", lambda: exact_faiss(self.rows)),
                built("scikit-learn brute force", lambda: scikit_learn(self.rows)),
                *self.built_graphs(),
            ]
            filtered = Case("Espalier, 1 % allowed", lambda q: index.search(q, K, allowed)[0])
            self.table([*cases, filtered], allowed)
            print(f"\nIt says: {report.reason}.\n")
            index.close()

    def built_graphs(self) -> list[Case]:
        cases = []
        for name, build in {"hnswlib": hnsw, "usearch (bf16)": usearch}.items():
            estimate = self.graphs.get(name, 0.0) * self.count * 1.2 / 60
            if estimate > self.minutes:
                print(f"{name} is left out: building it would take about {estimate:.0f} minutes", flush=True)
                continue
            cases.append(self.graph(name, build))
            self.graphs[name] = cases[-1].build_s / self.count
        return cases

    def graph(self, name: str, build: Callable[[Rows], tuple[Search, Callable[[int], None]]]) -> Case:
        looks: list[Callable[[int], None]] = []

        def search() -> Search:
            found, look = build(self.rows)
            looks.append(look)
            return found

        case = built(name, search)
        for expansion in LOOKS:
            looks[0](expansion)
            if recall(case.search(self.queries), self.true) >= 0.99:
                break
        case.name += f", looks at {expansion}"
        return case

    def table(self, cases: list[Case], allowed: Ids) -> None:
        single, batch = self.timed(cases)
        among = allowed[exact_faiss(self.rows[allowed])(self.queries)]
        print("| | recall@20 | single p50 ms | p95 | batch of 64, p50 ms | p95 | build s | memory MB |")
        print("|---|---|---|---|---|---|---|---|")
        for case in cases:
            true = among if case is cases[-1] else self.true
            print(
                f"| {case.name} | {recall(case.search(self.queries), true):.4f} "
                f"| {quantile(single[case.name], 0.5):.2f} | {quantile(single[case.name], 0.95):.2f} "
                f"| {quantile(batch[case.name], 0.5):.1f} | {quantile(batch[case.name], 0.95):.1f} "
                f"| {case.build_s:.1f} | {case.memory_mb:,.0f} |",
                flush=True,
            )
        own, bare, exact, filtered = cases[0], cases[1], cases[2], cases[-1]
        print("\n| | measured | limit |\n|---|---|---|")
        for words, times in (("single", single), ("batch of 64", batch)):
            pairs = statistics.median(a / b for a, b in zip(times[own.name], times[bare.name], strict=True))
            print(f"| {words}: Espalier / bare FAISS of the same kind | {pairs:.2f} | at most 1.20 |")
            pairs = statistics.median(a / b for a, b in zip(times[filtered.name], times[exact.name], strict=True))
            print(f"| {words}: 1 % allowed / unfiltered exact search | {pairs:.2f} | at most 1.00 |")
        print(f"| recall@20 | {recall(own.search(self.queries), self.true):.4f} | at least 0.99 |")
        print(f"| recall@20, 1 % allowed | {recall(filtered.search(self.queries), among):.4f} | at least 0.99 |")
        limit = "under 5 ms" if self.count >= 1_000_000 else "-"
        print(f"| single p50 | {quantile(single[own.name], 0.5):.2f} ms | {limit} |", flush=True)

    def timed(self, cases: list[Case]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
        """Seconds of each single query and each batch: all cases in turn, so that what disturbs one disturbs all.

        Single queries in runs of twenty, as a service gets them, and all in an order drawn anew each time: who comes
        first finds the caches full of something else. A breath before each, for threads of the one before still spin.
        """
        rng = np.random.default_rng(5)
        single: dict[str, list[float]] = {case.name: [] for case in cases}
        batch: dict[str, list[float]] = {case.name: [] for case in cases}
        for case in cases:
            case.search(self.queries[:1])
            case.search(self.queries[:BATCH])
        for start in range(0, QUERIES, RUN):
            for case in (cases[place] for place in rng.permutation(len(cases))):
                time.sleep(BREATH_S)
                for at in range(start, start + RUN):
                    single[case.name].append(seconds(case.search, self.queries[at : at + 1]))
        for _ in range(ROUNDS):
            for case in (cases[place] for place in rng.permutation(len(cases))):
                time.sleep(BREATH_S)
                batch[case.name].append(seconds(case.search, self.queries[:BATCH]))
        return single, batch


def recall(found: Ids, true: Ids) -> float:
    return float(np.mean([len(set(a) & set(b)) / K for a, b in zip(found.tolist(), true.tolist(), strict=True)]))


def seconds(search: Search, queries: Rows) -> float:
    start = time.perf_counter()
    search(queries)
    return time.perf_counter() - start


def quantile(times: list[float], share: float) -> float:
    return float(np.quantile(times, share)) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--minutes", type=float, default=5.0)
    given = parser.parse_args()
    graphs: dict[str, float] = {}
    print(f"{THREADS} threads for builds and batches, one for single queries\n")
    for count in given.sizes:
        Size(count, given.minutes, graphs).run()


if __name__ == "__main__":
    main()
