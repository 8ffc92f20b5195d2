"""The role of an index."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from .arrays import Embeddings, Ids, Scores


@dataclass(frozen=True)
class IndexRequest:
    """Which index is opened, and where it may keep what it holds."""

    name: str
    """Letters, digits and underscores; one project's frames under one encoder."""
    dim: int
    encoder: str
    """The encoder's digest: an index holds the embeddings of one encoder alone."""
    directory: Path
    """A place of its own on this machine's disk; need not be there yet."""
    url: str = field(default="", repr=False)
    """Of a service, for an index that lies elsewhere; may hold a password."""
    recall: float = 0.99
    """Of the 20 nearest, the share that an approximate search must find."""
    memory_mb: int = 4096
    """What it may take of this machine's memory."""
    threads: int = 1


@dataclass(frozen=True)
class IndexReport:
    """What an index says of itself, for people."""

    kind: str
    """`exact`, or how it approximates, such as `IVF4096,SQ8`."""
    vectors: int
    size_bytes: int
    """In memory."""
    recall: float | None = None
    """Of the 20 nearest, measured against exact search on its own vectors; None where search is exact."""
    reason: str = ""
    """Why it is of this kind, in words."""


@runtime_checkable
class Index(Protocol):
    """Finds the nearest embeddings by cosine. Called from one thread at a time.

    Ids are int64, 0 and up; those of one media's frames lie beside each other (`id >> 24` is the media's number).
    `add` gets distinct ids int64 (n,) and embeddings float32 (n, dim) of norm 1; a known id is replaced.
    `remove` takes ids; unknown ones are no matter.
    `search` gets queries float32 (m, dim) of norm 1 and returns ids int64 (m, k) and scores float32 (m, k) in [-1, 1],
    best first; where fewer than k are there, the tail is id -1 and score -1. With `allowed`, ascending distinct ids,
    only those are found, as if the index held no others: the condition holds within the search, not after it.
    `ids` are all that it holds, ascending. What was added or removed is there again when it is next opened, also after
    a sudden end of the process; `save` makes that quick, and may take its time. Where its disk or service takes no
    more, they raise BadSetting, and what was there before holds. After `close` nothing is called.
    """

    def add(self, ids: Ids, embeddings: Embeddings) -> None: ...

    def remove(self, ids: Ids) -> None: ...

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]: ...

    def ids(self) -> Ids: ...

    def report(self) -> IndexReport: ...

    def save(self) -> None: ...

    def close(self) -> None: ...


class IndexClass(Protocol):
    """What the entry point of an index names."""

    def open(self, request: IndexRequest) -> Index:
        """What was there under this request, else an empty one. Several processes may open the same.

        Raises BadIndex for what cannot be read or holds embeddings of another encoder, BadSetting where its service
        cannot be had.
        """
        ...

    def drop(self, request: IndexRequest) -> None:
        """Nothing of it is left; it may not have been there."""
        ...
