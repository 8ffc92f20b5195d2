"""From files to replies: read ahead, compute in batches whatever file they are of, decide as in the house."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from espalier_ontology import rules
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Ontology

from ..contract import Ids, Pictures, Scores
from ..errors import BadMedia, BadRequest, EspalierError
from ..judging.own_cutoffs import OwnCutoffs
from ..learning.decide import decide, overall_score
from ..learning.decision import Decision
from ..learning.model import Model
from ..learning.questions import Key
from ..plugins.registry import load_classifier
from . import ontology_file
from .asked import Asked
from .given_file import GivenFile, OpenFile
from .network import Network, open_network
from .opening import Bundle
from .question import Question, question_of
from .reply import failed, label_studio, reply, scores_of

READ_AHEAD = 64
"""Files that are opened before it is their turn."""
MAX_MEGAPIXELS = 100
PLAIN = Asked()


@dataclass(frozen=True)
class Loaded:
    """One of a bundle's models, ready to answer."""

    model: Model
    network: Network
    cutoffs: OwnCutoffs


@dataclass
class _Work:
    """A file on its way. waiting: pictures that are not embedded yet; read: there are no more to come."""

    file: GivenFile
    opened: Future[OpenFile]
    question: Question | None = None
    waiting: int = 0
    read: bool = False
    error: Exception | None = None
    numbers: list[Ids] = field(default_factory=list)
    scores: dict[Key, list[Scores]] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return self.read and not self.waiting


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
        manifest = self.bundle.manifest
        precision = precision or (manifest.precision if which == "best" else "fp32")
        parts = manifest.models.get(which)
        if parts is None:
            raise BadRequest(
                f"this bundle holds the model {' and '.join(manifest.models)} alone: only what was fine-tuned has a "
                f"best and a last one"
            )
        if precision == "int8" and "network_int8" not in parts:
            raise BadRequest(
                f"this bundle holds no int8 network of its model {which}: `espalier bundle --int8` adds it"
            )
        with self._lock:
            if (which, precision) not in self._loaded:
                model = Model.load(self.bundle.directory / parts["model"], load_classifier=load_classifier)
                network = open_network(self.bundle.directory, parts, precision)
                cutoffs = OwnCutoffs.from_json(self._json(parts["thresholds"])["own"])
                self._loaded[which, precision] = Loaded(model, network, cutoffs)
            return self._loaded[which, precision]

    def predict(
        self, files: Iterable[GivenFile], asked: Asked = PLAIN, *, deadline: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """A reply for each file, in order; one that cannot be read has an `error` in words, and stops none of the rest.

        deadline: in `time.monotonic()`. Raises BadRequest past it, and for what the bundle does not hold.
        """
        asked.check(self.ontology)
        loaded = self.loaded(asked.model, asked.precision)
        pending: deque[_Work] = deque()
        flying: deque[list[tuple[_Work, Ids]]] = deque()

        cutoffs = loaded.cutoffs.by_option()

        @lru_cache(maxsize=8)  # pictures are all asked alike, and there may be thousands of them
        def decision(within: Frames, stride: int) -> Decision:
            return replace(asked.decision(self.ontology, within, stride), version=cutoffs)

        def decisions(question: Question) -> Decision:
            return decision(question.within, question.stride)

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
                    work.numbers.append(numbers)
                    for key, given in scores.items():
                        work.scores.setdefault(key, []).append(given[part])
                    work.waiting -= len(numbers)
                    start = part.stop
                while pending and pending[0].done:
                    yield self._reply(pending.popleft(), asked, loaded, decisions)
            while pending:
                yield self._reply(pending.popleft(), asked, loaded, decisions)
        finally:
            for work in pending:
                work.opened.cancel()

    def _ahead(self, files: Iterable[GivenFile], loaded: Loaded, pending: deque[_Work]) -> Iterator[_Work]:
        """Files in order, while those after them are being opened."""
        size = loaded.network.spec.input_size
        opening: deque[_Work] = deque()
        for file in files:
            opening.append(_Work(file, self._readers.submit(file.open, size, self.max_megapixels)))
            pending.append(opening[-1])
            if len(opening) >= READ_AHEAD:
                yield opening.popleft()
        while opening:
            yield opening.popleft()

    def _batches(
        self, files: Iterator[_Work], asked: Asked, loaded: Loaded
    ) -> Iterator[tuple[list[tuple[_Work, Ids]], Pictures]]:
        """Pictures of one file after the other, as many at a time as the network likes, and whose they are."""
        size, most = loaded.network.spec.input_size, loaded.network.way.batch
        batch, rows, filled = np.empty((most, *size, 3), np.uint8), list[tuple[_Work, Ids]](), 0
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

    def _pictures(self, work: _Work, asked: Asked, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
        try:
            opened = work.opened.result()
            work.question = question_of(self.ontology, opened, asked)
            yield from opened.pictures(work.question.frames, size)
        except BadRequest:
            raise
        except (EspalierError, OSError) as error:
            work.error = error

    def _reply(
        self, work: _Work, asked: Asked, loaded: Loaded, decisions: Callable[[Question], Decision]
    ) -> dict[str, Any]:
        if work.question is None or not work.numbers:
            return failed(work.file.name, work.error or BadMedia(f"{work.file.name} shows no frame"))
        opened, question, model = work.opened.result(), work.question, loaded.model
        numbers = np.concatenate(work.numbers)
        scores = {key: np.concatenate(parts) for key, parts in work.scores.items()}
        decided = decide(
            question.ontology,
            model,
            scores,
            numbers,
            length=opened.length,
            parameters=decisions(question),
            source=self.bundle.manifest.version,
            media=question.tag.name,
        )
        kept = rules.enforce(question.ontology, decided).answers
        score = overall_score(question.ontology, scores, kept)
        warnings = [str(work.error)] if work.error is not None else []
        said = reply(opened, question, kept, numbers, score, warnings)
        if asked.scores and opened.kind == "image":
            said["scores"] = scores_of(model, scores)
        if asked.regions:
            said["regions"] = label_studio(opened, question, kept)
        return said

    def _json(self, name: str) -> Any:
        return json.loads((self.bundle.directory / name).read_text())
