"""The index: what the contract asks of it, as calls to Milvus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from espalier.contract import Embeddings, Ids, IndexClass, IndexReport, IndexRequest, Scores
from espalier.errors import BadIndex, EspalierError

from . import best, conditions, embedded, kinds
from .collection import EMBEDDING, ID, MEDIA, drop_collections, index_parameters, kind_of, open_collection
from .kinds import Kind
from .measured import NEAREST, QUERIES, Measured, measure
from .service import BUILD_S, Service, lite_directory

MEDIA_BITS = 24
MOST_HITS = 16_384
"""What one search of a Milvus gives at most; beyond, the vectors are fetched and compared here."""
PAGE_IDS = 16_384
_MESSAGE_BYTES = 8 * 2**20
"""Milvus takes 64 MB in one message, after its own encoding."""
_HITS_AT_ONCE = 200_000
_PARTS_WORTH_IDS = 32
"""Conditions of more parts than this are shortened by what is known to be held."""


class MilvusIndex:
    """One collection. Exact in milvus-lite and for few vectors; else a graph or cells, with their recall measured."""

    def __init__(self, service: Service, request: IndexRequest, name: str) -> None:
        self._service, self._request, self._name = service, request, name
        self._kind: Kind = kinds.FLAT
        self._measured: Measured | None = None
        self._look()
        self._rows_at_once = max(1, min(10_000, _MESSAGE_BYTES // (4 * request.dim + 32)))
        self._held: Ids | None = None
        """What it held when that was last asked, and what came and went through here since; None: not asked yet."""

    @classmethod
    def open(cls, request: IndexRequest) -> MilvusIndex:
        service = Service.connect(request)
        try:
            return cls(service, request, open_collection(service, request))
        except EspalierError as error:
            service.close()
            if request.url or isinstance(error, BadIndex):
                raise
            # Nobody else stands between us and the files: what cannot be opened is broken.
            raise BadIndex(f"{error}; the index is built anew from the embeddings") from error

    @classmethod
    def drop(cls, request: IndexRequest) -> None:
        """Of any encoder."""
        Measured.forget(request.directory)
        if not request.url and embedded.remove(lite_directory(request)):
            return
        service = Service.connect(request)
        try:
            drop_collections(service, request)
        finally:
            service.close()

    def add(self, ids: Ids, embeddings: Embeddings) -> None:
        for at in range(0, len(ids), self._rows_at_once):
            some = ids[at : at + self._rows_at_once]
            rows = [
                {ID: id, MEDIA: id >> MEDIA_BITS, EMBEDDING: row}
                for id, row in zip(some.tolist(), embeddings[at : at + self._rows_at_once], strict=True)
            ]
            self._service.call("adding vectors", "upsert", self._name, rows)
            if self._held is not None:
                new = np.setdiff1d(some, self._held)
                self._held = np.insert(self._held, np.searchsorted(self._held, new), new)

    def remove(self, ids: Ids) -> None:
        for at in range(0, len(ids), conditions.IDS):
            some = ids[at : at + conditions.IDS]
            self._service.call("removing vectors", "delete", self._name, ids=some.tolist())
        if self._held is not None:
            self._held = np.setdiff1d(self._held, ids)

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        if not len(queries) or (allowed is not None and not len(allowed)):
            return best.nothing(len(queries), k)
        if k > MOST_HITS and self._request.url:
            return best.nearest(self._vectors(allowed), queries, k)
        if allowed is None:
            return self._search(queries, k, "")
        if len(conditions.breaks(allowed)) >= _PARTS_WORTH_IDS:
            if self._held is None:
                self.ids()
            ids, scores = self._where(queries, k, conditions.expressions(allowed, self._held))
            if np.isin(ids[ids >= 0], allowed).all():
                return ids, scores
            self._held = None  # somebody else has added what we did not know of
        return self._where(queries, k, conditions.expressions(allowed))

    def ids(self) -> Ids:
        pages = self._service.pages("listing ids", self._name, [ID], PAGE_IDS)
        found = [np.array([row[ID] for row in page], np.int64) for page in pages]
        self._held = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
        return self._held.copy()

    def report(self) -> IndexReport:
        self._look()
        vectors = self._count()
        measured, kind = self._measured, self._kind
        links = vectors * kind.built_with["M"] * 2 * 4 if "M" in kind.built_with else 0
        return IndexReport(
            kind=kind.words,
            vectors=vectors,
            size_bytes=vectors * (4 * self._request.dim + 16) + links,
            recall=None if measured is None else measured.recall,
            reason=self._reason(),
        )

    def save(self) -> None:
        """Flushes; on a cluster, also builds the index that so many vectors need, and measures its recall."""
        self._service.call("flushing", "flush", self._name, timeout=BUILD_S)
        if not self._request.url:
            return
        self._look()
        vectors = self._count()
        self._become(kinds.kind_for(vectors))
        if self._kind.exact or (self._measured and self._measured.holds(self._kind, vectors)):
            return
        self._measure(vectors)
        if self._measured and self._measured.recall < self._request.recall:
            self._become(kinds.CELLS)  # which finds everything, if it must
            self._measure(vectors)

    def close(self) -> None:
        self._service.close()

    def _where(self, queries: Embeddings, k: int, expressions: list[str]) -> best.Found:
        return best.merged((self._search(queries, k, each) for each in expressions), len(queries), k)

    def _search(self, queries: Embeddings, k: int, expression: str, effort: int | None = None) -> best.Found:
        ids, scores = best.nothing(len(queries), k)
        effort = effort or (self._measured.effort if self._measured else None)
        at_once = max(1, min(1024, _HITS_AT_ONCE // k))
        for at in range(0, len(queries), at_once):
            answer: Any = self._service.call(
                "searching",
                "search",
                self._name,
                data=list(queries[at : at + at_once]),
                anns_field=EMBEDDING,
                limit=k,
                filter=expression,
                output_fields=[ID],
                search_params=self._kind.search(effort, k),
                consistency_level="Strong",
            )
            for row, hits in enumerate(answer, start=at):
                ids[row, : len(hits)] = [hit[ID] for hit in hits]
                scores[row, : len(hits)] = np.clip([hit["distance"] for hit in hits], -1, 1)
        # Best first, and what lies equally near by its id, so that runs repeat.
        return best.merged([(ids, scores)], len(queries), k)

    def _vectors(self, allowed: Ids | None = None) -> Iterator[tuple[Ids, Embeddings]]:
        """Every vector that is allowed, page by page."""
        rows = min(self._rows_at_once, PAGE_IDS)
        for page in self._service.pages("reading vectors", self._name, [ID, EMBEDDING], rows):
            ids = np.array([row[ID] for row in page], np.int64)
            keep = np.ones(len(ids), bool) if allowed is None else np.isin(ids, allowed)
            yield ids[keep], np.array([row[EMBEDDING] for row in page], np.float32)[keep]

    def _count(self) -> int:
        answer = self._service.call(
            "counting", "query", self._name, filter="", output_fields=["count(*)"], consistency_level="Strong"
        )
        return int(answer[0]["count(*)"])

    def _look(self) -> None:
        """Which index is there: another process may have built another since."""
        self._kind = kinds.kind_named(kind_of(self._service, self._name))
        measured = None if self._kind.exact else Measured.read(self._request.directory)
        self._measured = measured if measured and measured.kind == self._kind.name else None

    def _become(self, kind: Kind) -> None:
        """Builds another index over the same vectors; searches of other processes wait or fail meanwhile."""
        if kind == self._kind:
            return
        build: Callable[..., Any] = self._service.call
        build("releasing the collection", "release_collection", self._name)
        build("dropping the old index", "drop_index", self._name, EMBEDDING)
        build("building the index", "create_index", self._name, index_parameters(kind), timeout=BUILD_S)
        build("loading the collection", "load_collection", self._name, timeout=BUILD_S)
        self._kind, self._measured = kind, None
        Measured.forget(self._request.directory)

    def _measure(self, vectors: int) -> None:
        """On vectors of its own, each of which finds itself as well."""
        held = self.ids()
        some = np.random.default_rng(0).choice(held, min(QUERIES, len(held)), replace=False)
        answer = self._service.call(
            "reading vectors", "query", self._name, filter=f"{ID} in {some.tolist()}", output_fields=[EMBEDDING]
        )
        queries = np.array([row[EMBEDDING] for row in answer], np.float32)
        if self._kind == kinds.CELLS:
            exact = self._search(queries, NEAREST + 1, "", kinds.LISTS)[1]
        else:
            exact = best.nearest(self._vectors(), queries, NEAREST + 1)[1]
        self._measured = measure(
            self._kind,
            vectors,
            exact,
            lambda effort: self._search(queries, NEAREST + 1, "", effort)[1],
            self._request.recall,
        )
        self._measured.write(self._request.directory)

    def _reason(self) -> str:
        if not self._request.url:
            return "milvus-lite, in this process: every vector is compared"
        where = f"on {self._service.place}"
        if self._kind.exact:
            return f"{where}: every vector is compared, below {kinds.EXACT_BELOW} vectors"
        if self._measured is None:
            return f"{where}: its recall was not measured on this machine yet, so it looks as hard as it can"
        return f"{where}: {self._kind.effort} {self._measured.effort} is the least that finds enough"


_: IndexClass = MilvusIndex
