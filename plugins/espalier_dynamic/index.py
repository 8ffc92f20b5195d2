"""The index over FAISS: exact while that is fast, durable after every call, mapped into memory when opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from espalier.contract import Embeddings, Ids, Index, IndexClass, IndexReport, IndexRequest, Scores
from espalier.errors import BadIndex

from .index_exact import best, nearest, threads
from .index_files import SAVE_LOCK, IndexFiles, Pointer
from .index_generation import Generation, write_generation
from .index_policy import IndexPolicy
from .index_tail import Tail

BLOCK_ROWS = 8192


class FaissIndex:
    """A generation on the disk and a tail in memory; what the tail holds is in the journal, too."""

    policy: ClassVar[IndexPolicy] = IndexPolicy()

    def __init__(self, request: IndexRequest) -> None:
        self.request = request
        self.files = IndexFiles(request)
        self.files.begin()
        self._pointed = b""
        self._look()

    @classmethod
    def open(cls, request: IndexRequest) -> FaissIndex:
        return cls(request)

    @classmethod
    def drop(cls, request: IndexRequest) -> None:
        IndexFiles(request).drop()

    def add(self, ids: Ids, embeddings: Embeddings) -> None:
        with self.files.locked():
            self._catch_up()
            self._journal.append(ids, embeddings)
            self._apply(ids, embeddings)

    def remove(self, ids: Ids) -> None:
        with self.files.locked():
            self._catch_up()
            self._journal.append(ids, None)
            self._apply(ids, None)

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        self._look()
        with threads(self.request.threads):
            parts = [self._search_generation(queries, k, allowed), self._tail.search(queries, k, allowed)]
        found, scores = best(parts, len(queries), k)
        missing = ((0, 0), (0, k - found.shape[1]))
        return np.pad(found, missing, constant_values=-1), np.pad(scores, missing, constant_values=-1)

    def ids(self) -> Ids:
        self._look()
        return np.sort(np.concatenate([self._generation.ids[self._alive], self._tail.ids]))

    def report(self) -> IndexReport:
        self._look()
        vectors = len(self._generation) - self._dead + len(self._tail)
        size = self._generation.rows.nbytes + self._generation.ids.nbytes + self._tail.size_bytes
        return IndexReport("exact", vectors, size, None, f"{vectors} rows are searched exactly in a moment")

    def save(self) -> None:
        with self.files.locked(SAVE_LOCK):
            self._look()
            if not self._worth_saving():
                return
            read_to, number = self._journal.offset, self._number + 1
            ids, blocks = self._merged()
            write_generation(self.files.generation_path(number), ids, blocks)
            with self.files.locked():
                self._catch_up()  # others may have written meanwhile
                self.files.journal(number).begin_with(self._journal.records_since(read_to))
                asked = self.request
                self.files.point(Pointer(asked.name, asked.dim, asked.encoder, number))
                self._catch_up()
                self.files.sweep(number)

    def close(self) -> None:
        """What is mapped goes with the last reference to it."""
        self._generation, self._tail = Generation.empty(self.request.dim), Tail(self.request.dim)

    def _look(self) -> None:
        """Read what others wrote; a journal that changes under the reading is read again when nobody writes."""
        try:
            self._catch_up()
        except BadIndex:
            with self.files.locked():
                self._catch_up()

    def _catch_up(self) -> None:
        pointer, written = self.files.read_pointer()
        if written != self._pointed:
            self._number = pointer.generation
            self._generation = self._read_generation(pointer.generation)
            self._alive = np.ones(len(self._generation), bool)
            self._dead = 0
            self._tail = Tail(self.request.dim)
            self._journal = self.files.journal(pointer.generation)
            self._pointed = written
        for record in self._journal.read():
            self._apply(record.ids, record.embeddings)

    def _read_generation(self, number: int) -> Generation:
        if number == 0:
            return Generation.empty(self.request.dim)
        return Generation.read(self.files.generation_path(number), self.request.dim, verify_mb=self.policy.verify_mb)

    def _apply(self, ids: Ids, embeddings: Embeddings | None) -> None:
        places = self._generation.places(ids)
        self._alive[places] = False
        self._dead = len(self._alive) - int(self._alive.sum())
        if embeddings is None:
            self._tail.take_out(ids)
        else:
            self._tail.put(ids, embeddings)

    def _search_generation(self, queries: Embeddings, k: int, allowed: Ids | None) -> tuple[Ids, Scores]:
        chosen = None
        if allowed is not None:
            chosen = self._generation.places(allowed)
            if self._dead:
                chosen = chosen[self._alive[chosen]]
        elif self._dead:
            chosen = np.flatnonzero(self._alive)
        found, scores = nearest(queries, self._generation.rows, k, chosen)
        return self._generation.ids[found], scores

    def _worth_saving(self) -> bool:
        changed = len(self._tail) + self._dead
        return changed > max(self.policy.merge_rows, self.policy.merge_share * len(self._generation))

    def _merged(self) -> tuple[Ids, Iterator[Embeddings]]:
        """All that is held, ascending by id: ids int64 (n,) and the rows in blocks."""
        kept = np.flatnonzero(self._alive)
        ids = np.concatenate([self._generation.ids[kept], self._tail.ids])
        order = np.argsort(ids, kind="stable")

        def blocks() -> Iterator[Embeddings]:
            for start in range(0, len(order), BLOCK_ROWS):
                some = order[start : start + BLOCK_ROWS]
                block = np.empty((len(some), self.request.dim), np.float32)
                old = some < len(kept)
                block[old] = self._generation.rows[kept[some[old]]]
                block[~old] = self._tail.rows[some[~old] - len(kept)]
                yield block

        return ids[order], blocks()


_index: type[Index] = FaissIndex
_class: IndexClass = FaissIndex
