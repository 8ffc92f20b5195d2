"""The index over FAISS: exact while that is fast, durable after every call, mapped into memory when opened.

What is held is a generation on the disk (index_generation), whose search is exact or approximate (index_policy,
index_cells, index_tuning), and the tail that came since (index_tail), which is searched exactly and lies in the journal
(journal), too. `save` writes both as a new generation. Until then the tail is in memory: who adds millions saves now
and then. How several processes share it: index_files.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from espalier.contract import Embeddings, Ids, Index, IndexClass, IndexReport, IndexRequest, Scores
from espalier.errors import BadIndex

from .index_exact import best, threads
from .index_files import SAVE_LOCK, IndexFiles, Pointer
from .index_generation import Generation
from .index_policy import IndexPolicy
from .index_tail import Tail
from .index_writing import write_generation

SHARED_FROM = 8
"""Queries; fewer are searched by one thread: a second one costs more time to be woken than it saves."""


class FaissIndex:
    """See the contract, `espalier.contract.Index`."""

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
            self._catch_up_surely()
            self._journal.append(ids, embeddings)
            self._apply(ids, embeddings)

    def remove(self, ids: Ids) -> None:
        with self.files.locked():
            self._catch_up_surely()
            self._journal.append(ids, None)
            self._apply(ids, None)

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        self._look()
        with threads(self.request.threads if len(queries) >= SHARED_FROM else 1):
            found, scores = self._generation.search(queries, k, allowed, self.policy)
            if len(self._tail):
                tail = self._tail.search(queries, k, allowed)
                found, scores = best([(found, scores), tail], len(queries), k)
        if found.shape[1] < k:
            missing = ((0, 0), (0, k - found.shape[1]))
            return np.pad(found, missing, constant_values=-1), np.pad(scores, missing, constant_values=-1)
        return found, scores

    def ids(self) -> Ids:
        self._look()
        return np.sort(np.concatenate([self._generation.ids[self._generation.alive], self._tail.ids]))

    def report(self) -> IndexReport:
        self._look()
        held, tail = self._generation, len(self._tail)
        size = held.size_bytes + self._tail.size_bytes
        reason = held.reason or self.policy.exactly(0, self.request.dim)
        if tail or held.dead:
            reason += f"; since then {tail} came, searched exactly, and {held.dead} went"
        kind, recall = "exact", None
        if held.approximation is not None:
            kind, recall = held.approximation.cells.kind, held.approximation.tuned.recall
        return IndexReport(kind, len(held) - held.dead + tail, size, recall, reason)

    def save(self) -> None:
        """A new generation, where enough has changed; others go on searching and writing meanwhile."""
        with self.files.locked(SAVE_LOCK):
            self._look()
            held = self._generation
            if not self.policy.worth_saving(len(held), len(self._tail) + held.dead):
                return
            read_to, number = self._journal.offset, self._number + 1
            with threads(self.request.threads):
                write_generation(self.files.generation_path(number), held, self._tail, self.request, self.policy)
            with self.files.locked():
                self._catch_up_surely()  # what others wrote meanwhile goes on into the new journal
                self.files.journal(number).begin(self._journal.records_since(read_to))
                asked = self.request
                self.files.point(Pointer(asked.name, asked.dim, asked.encoder, number))
                self._catch_up()
                self.files.sweep(number)

    def close(self) -> None:
        """What is mapped goes with the last reference to it."""
        self._generation, self._tail = Generation.empty(self.request.dim), Tail(self.request.dim)

    def _look(self) -> None:
        """Read what others wrote; what changes under the reading is read again when nobody writes."""
        try:
            self._catch_up()
        except BadIndex:
            with self.files.locked():
                self._catch_up_surely()

    def _catch_up_surely(self) -> None:
        """Under the lock: nothing changes under the reading now, and what does not fit is read from the beginning."""
        try:
            self._catch_up()
        except BadIndex:
            self._pointed = b""
            self._catch_up()

    def _catch_up(self) -> None:
        pointer, written = self.files.read_pointer()
        if written != self._pointed:
            generation = Generation.empty(self.request.dim)
            if pointer.generation:
                directory = self.files.generation_path(pointer.generation)
                generation = Generation.read(directory, self.request.dim, verify_mb=self.policy.verify_mb)
            self._generation, self._tail = generation, Tail(self.request.dim)
            self._journal = self.files.journal(pointer.generation)
            self._number, self._pointed = pointer.generation, written
        for record in self._journal.read():
            self._apply(record.ids, record.embeddings)

    def _apply(self, ids: Ids, embeddings: Embeddings | None) -> None:
        self._generation.forget(ids)
        if embeddings is None:
            self._tail.take_out(ids)
        else:
            self._tail.put(ids, embeddings)


_index: type[Index] = FaissIndex
_class: IndexClass = FaissIndex
