"""check_index: a plain index passes, and each way of being wrong is named."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from espalier.contract import Embeddings, Ids, Index, IndexReport, IndexRequest, Scores
from espalier.errors import BadIndex, BrokenPlugin
from espalier.testing import check_index


class PlainIndex:
    """All in a dictionary, and the whole of it written at every change: right, and slow."""

    def __init__(self, request: IndexRequest) -> None:
        self.request = request
        self.rows: dict[int, Embeddings] = {}

    @classmethod
    def open(cls, request: IndexRequest) -> Index:
        index = cls(request)
        path = request.directory / "rows.npz"
        if path.exists():
            about = json.loads((request.directory / "about.json").read_text())
            if about != [request.encoder, request.dim]:
                raise BadIndex(f"{request.directory} holds embeddings of encoder {about[0]}, not {request.encoder}")
            with np.load(path) as kept:
                index.rows = dict(zip(kept["ids"].tolist(), kept["rows"], strict=True))
        return index

    @classmethod
    def drop(cls, request: IndexRequest) -> None:
        shutil.rmtree(request.directory, ignore_errors=True)

    def add(self, ids: Ids, embeddings: Embeddings) -> None:
        self.rows.update(zip(ids.tolist(), embeddings.copy(), strict=True))
        self.write()

    def remove(self, ids: Ids) -> None:
        for id in ids.tolist():
            self.rows.pop(id, None)
        self.write()

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        held = self.ids()
        if allowed is not None:
            held = held[np.isin(held, allowed)]
        ids, scores = np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -1, np.float32)
        if len(held):
            cosines = queries @ np.stack([self.rows[id] for id in held.tolist()]).T
            best = np.argsort(-cosines, axis=1)[:, :k]
            ids[:, : best.shape[1]] = held[best]
            scores[:, : best.shape[1]] = np.take_along_axis(cosines, best, axis=1)
        return ids, scores

    def ids(self) -> Ids:
        return np.array(sorted(self.rows), np.int64)

    def report(self) -> IndexReport:
        return IndexReport("exact", len(self.rows), 4 * self.request.dim * len(self.rows) + 1)

    def save(self) -> None: ...

    def close(self) -> None: ...

    def write(self) -> None:
        directory = self.request.directory
        directory.mkdir(parents=True, exist_ok=True)
        rows = np.stack(list(self.rows.values())) if self.rows else np.empty((0, self.request.dim), np.float32)
        np.savez(directory / "rows.npz", ids=np.array(list(self.rows), np.int64), rows=rows)
        (directory / "about.json").write_text(json.dumps([self.request.encoder, self.request.dim]))


class Forgetting(PlainIndex):
    def write(self) -> None: ...


class Filtering(PlainIndex):
    """Its condition holds after the search."""

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        ids, scores = super().search(queries, k)
        if allowed is not None:
            for row in range(len(ids)):
                keep = np.isin(ids[row], allowed)
                count = int(keep.sum())
                ids[row, :count], scores[row, :count] = ids[row, keep], scores[row, keep]
                ids[row, count:], scores[row, count:] = -1, -1
        return ids, scores


class Keeping(PlainIndex):
    def remove(self, ids: Ids) -> None: ...


class First(PlainIndex):
    """What is known stays as it was."""

    def add(self, ids: Ids, embeddings: Embeddings) -> None:
        new = np.array([id not in self.rows for id in ids.tolist()], bool)
        super().add(ids[new], embeddings[new])


class Near(PlainIndex):
    """The nearest is never found."""

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        ids, scores = super().search(queries, k + 1, allowed)
        whole = ids[:, -1:] >= 0
        return np.where(whole, ids[:, 1:], ids[:, :-1]), np.where(whole, scores[:, 1:], scores[:, :-1])


class Mixing(PlainIndex):
    @classmethod
    def open(cls, request: IndexRequest) -> Index:
        try:
            return super().open(request)
        except BadIndex:
            return cls(request)


class Remaining(PlainIndex):
    @classmethod
    def drop(cls, request: IndexRequest) -> None: ...


def test_a_plain_index_keeps_the_contract() -> None:
    check_index(PlainIndex)


@pytest.mark.parametrize(
    ("index", "rule"),
    [
        (Forgetting, "close and open"),
        (Filtering, "as many as there are"),
        (Keeping, "removed is not found"),
        (First, "known id is replaced"),
        (Near, "the nearest are found"),
        (Mixing, "another encoder is refused"),
        (Remaining, "dropped is gone"),
    ],
)
def test_an_index_that_breaks_a_rule_is_named(index: type[PlainIndex], rule: str) -> None:
    with pytest.raises(BrokenPlugin, match=rule) as caught:
        check_index(index)
    assert caught.value.plugin == index.__name__
