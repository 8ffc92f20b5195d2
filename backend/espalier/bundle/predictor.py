"""From files to replies: read ahead, compute in batches whatever file they are of, decide as in the house."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from espalier_ontology.tree import Ontology

from ..contract import Ids, Pictures
from ..errors import BadRequest, EspalierError
from . import ontology_file
from .answering import Answering
from .asked import Asked
from .given_file import GivenFile
from .loaded import Loaded
from .opening import Bundle
from .question import question_of
from .work import Work

READ_AHEAD = 64
"""Files that are opened before it is their turn."""
TOGETHER = 16
"""Pictures that are scored and decided at a time, where the network likes fewer."""
MAX_MEGAPIXELS = 100
PLAIN = Asked()


class Predictor:
    """A bundle that answers. Models are loaded when they are first asked for; many threads may ask at once."""

    def __init__(self, bundle: Bundle, *, max_megapixels: int = MAX_MEGAPIXELS) -> None:
        self.bundle = bundle
        self.max_megapixels = max_megapixels
        self.ontology: Ontology = ontology_file.from_json(self._json("ontology.json"))
        self._loaded: dict[tuple[str, str], Loaded] = {}
        self._lock = threading.Lock()
        self._readers = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="read-file")

    def loaded(self, which: str = "best", precision: str | None = None) -> Loaded:
        """Raises BadRequest for a model or precision that the bundle does not hold."""
        precision = precision or (self.bundle.manifest.precision if which == "best" else "fp32")
        with self._lock:
            if (which, precision) not in self._loaded:
                self._loaded[which, precision] = Loaded.of(self.bundle, which, precision)
            return self._loaded[which, precision]

    def predict(
        self, files: Iterable[GivenFile], asked: Asked = PLAIN, *, deadline: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """A reply for each file, in order; one that cannot be read has an `error` in words, and stops none of the rest.

        deadline: in `time.monotonic()`. Raises BadRequest past it, and for what the bundle does not hold.
        """
        asked.check(self.ontology)
        loaded = self.loaded(asked.model, asked.precision)
        answering = Answering(self.bundle.manifest.version, self.ontology, loaded, asked)
        pending: deque[Work] = deque()
        flying: deque[list[tuple[Work, Ids]]] = deque()

        def batches() -> Iterator[Pictures]:
            for rows, pictures in self._batches(self._ahead(files, loaded, pending), asked, loaded):
                if deadline is not None and time.monotonic() > deadline:
                    raise BadRequest("this takes longer than is allowed here: send fewer files, or a larger stride")
                flying.append(rows)
                yield pictures

        try:
            for embeddings in loaded.network.stream(batches()):
                scores = loaded.model.scores(embeddings)
                start = 0
                for work, numbers in flying.popleft():
                    part = slice(start, start + len(numbers))
                    work.take(numbers, {key: given[part] for key, given in scores.items()})
                    start = part.stop
                yield from answering.replies(_done(pending))
            yield from answering.replies(_done(pending))
        finally:
            for work in pending:
                work.opened.cancel()

    def _ahead(self, files: Iterable[GivenFile], loaded: Loaded, pending: deque[Work]) -> Iterator[Work]:
        """Files in order, while those after them are being opened."""
        size = loaded.network.spec.input_size
        opening: deque[Work] = deque()
        for file in files:
            opening.append(Work(file, self._readers.submit(file.open, size, self.max_megapixels)))
            pending.append(opening[-1])
            if len(opening) >= READ_AHEAD:
                yield opening.popleft()
        while opening:
            yield opening.popleft()

    def _batches(
        self, files: Iterator[Work], asked: Asked, loaded: Loaded
    ) -> Iterator[tuple[list[tuple[Work, Ids]], Pictures]]:
        """Pictures of one file after the other, at least as many at a time as the network likes, and whose they are."""
        size, most = loaded.network.spec.input_size, max(TOGETHER, loaded.network.way.batch)
        batch, rows, filled = np.empty((most, *size, 3), np.uint8), list[tuple[Work, Ids]](), 0
        for work in files:
            for numbers, pictures in self._pictures(work, asked, size):
                start = 0
                while start < len(numbers):
                    count = min(most - filled, len(numbers) - start)
                    batch[filled : filled + count] = pictures[start : start + count]
                    rows.append((work, numbers[start : start + count]))
                    work.waiting += count
                    filled, start = filled + count, start + count
                    if filled == most:
                        yield rows, batch
                        batch, rows, filled = np.empty_like(batch), [], 0
            work.read = True
        if filled:
            yield rows, batch[:filled]

    def _pictures(self, work: Work, asked: Asked, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
        try:
            opened = work.opened.result()
            work.question = question_of(self.ontology, opened, asked)
            yield from opened.pictures(work.question.frames, size)
        except BadRequest:
            raise
        except (EspalierError, OSError) as error:
            work.error = error

    def _json(self, name: str) -> Any:
        return json.loads((self.bundle.directory / name).read_text())


def _done(pending: deque[Work]) -> list[Work]:
    """Takes the files at the front of which nothing more comes."""
    done: list[Work] = []
    while pending and pending[0].done:
        done.append(pending.popleft())
    return done
