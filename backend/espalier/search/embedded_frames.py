"""Which frames of a project can be searched: those that are embedded, and that a task shows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..contract import Embeddings, Ids
from ..store.embedding_changes import START, Changes
from ..store.embeddings import EmbeddingStore, Key
from ..store.frame_ids import FRAME_BITS, MOST_FRAMES, frame_of, media_of
from .shown_media import ShownMedia


class EmbeddedFrames:
    """ids int64 (n,), ascending. `refresh` reads only what was written since, and no embeddings."""

    def __init__(self, store: EmbeddingStore, encoder_digest: str, shown: ShownMedia) -> None:
        self._store, self._encoder, self._shown = store, encoder_digest, shown
        self._mark = START
        self.ids: Ids = np.zeros(0, np.int64)
        self.version = 0
        """Another one whenever the ids are others."""

    def refresh(self, turned: set[int]) -> None:
        """turned: the numbers of media that are shown since the last time, or shown no more."""
        gone = np.array(sorted(number for number in turned if not self._shown.is_shown[number]), np.int64)
        come = [self._shown.of_number(number).digest for number in sorted(turned) if self._shown.is_shown[number]]
        kept = self.ids
        if len(gone):
            kept = kept[~np.isin(media_of(kept), gone)]
        new: list[Ids] = []
        for piece in self._store.changes(self._encoder, self._mark):
            if piece.starts_over:
                kept, come = kept[:0], []
            self._mark = piece.mark
            new.append(self._ids_in(piece))
        new += [self._ids_in(piece) for piece in self._store.held(self._encoder, come)]
        ids = _united(kept, new)
        if len(ids) != len(self.ids) or not np.array_equal(ids, self.ids):
            self.ids = ids
            self.version += 1

    def read(self, ids: Ids) -> Embeddings:
        """float32 (n, dim) of these of the ids, in their order. Raises NotEmbedded where one is there no more."""
        return self._store.read_many(self._encoder, self.keys(ids))

    def keys(self, ids: Ids) -> list[Key]:
        """How the embedding store calls them."""
        numbers, frames = media_of(ids).tolist(), frame_of(ids).tolist()
        return [(self._shown.of_number(number).digest, frame) for number, frame in zip(numbers, frames, strict=True)]

    def _ids_in(self, piece: Changes) -> Ids:
        number_of = self._shown.number_of
        numbers = np.array([number_of.get(digest, 0) for digest in piece.media], np.int64)
        places, frames = piece.frames()
        ours = (frames < MOST_FRAMES) & self._shown.is_shown[numbers][places]
        found: Ids = (numbers[places[ours]] << FRAME_BITS) | frames[ours]
        return found


def _united(kept: Ids, new: Iterable[Ids]) -> Ids:
    """Ascending and distinct; little that is new costs little."""
    more: Ids = np.unique(np.concatenate([np.zeros(0, np.int64), *new]))
    if not len(kept):
        return more
    at = np.searchsorted(kept, more)
    unknown = kept[np.minimum(at, len(kept) - 1)] != more
    united: Ids = np.insert(kept, at[unknown], more[unknown])
    return united
