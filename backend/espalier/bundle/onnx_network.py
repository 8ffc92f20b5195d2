"""A network of a file on ONNX Runtime, computed in the way that is quickest here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..contract import Embeddings, EncoderSpec, Pictures
from ..errors import BadModel, BadSetting

PICTURES, EMBEDDINGS = "pictures", "embeddings"
FEW = 4
"""Pictures; so many are computed by all threads together, for somebody waits for them and nothing else."""
_TRIED = 16
"""Pictures for each thread."""
_TRIES, _WORTH_ANOTHER_TRY, _MOST_S = 3, 1.2, 3.0
"""The last is how long is tried at most; a large network is tried in the first few ways alone."""


@dataclass(frozen=True)
class Way:
    """How many pictures are computed at a time; `lanes` such batches side by side, each by one thread, or 1 by all."""

    lanes: int
    batch: int


class OnnxNetwork:
    """An encoder of a file. Raises BadModel where the file is no network of the right form, BadSetting without runtime.

    threads: 0 means one per core that this process may use. `way` is how many pictures are computed, as measured when
    it was opened: few at a time stay in the processor's cache, and threads that each compute a batch of their own wait
    for nobody; a large network may be read too often so.
    """

    def __init__(self, path: Path, spec: EncoderSpec, *, threads: int = 0) -> None:
        self.spec = spec
        self.threads = threads or len(os.sched_getaffinity(0))
        self._together = _session(path, self.threads)
        takes = [(one.name, one.type, list(one.shape[1:])) for one in self._together.get_inputs()]
        gives = [(one.name, one.type, list(one.shape[1:])) for one in self._together.get_outputs()]
        wanted_in = [(PICTURES, "tensor(uint8)", [*spec.input_size, 3])]
        if takes != wanted_in or gives != [(EMBEDDINGS, "tensor(float)", [spec.dim])]:
            raise BadModel(f"{path.name} takes {takes} and gives {gives}, which is not what the bundle's encoder does")
        self._alone = self._together if self.threads == 1 else _session(path, 1)
        self._lanes = ThreadPoolExecutor(self.threads, thread_name_prefix="network-lane")
        self.way = self._quickest()

    def encode(self, frames: Pictures) -> Embeddings:
        """float32 (n, dim) of norm 1, for uint8 (n, height, width, 3), n >= 1. Many threads may ask at once."""
        if len(frames) <= FEW:
            return _run(self._together, frames)
        return self._computed(self.way, frames)

    def _computed(self, way: Way, frames: Pictures) -> Embeddings:
        session = self._together if way.lanes == 1 else self._alone
        if len(frames) <= way.batch:
            return _run(session, frames)
        parts = [frames[start : start + way.batch] for start in range(0, len(frames), way.batch)]
        mapped: Callable[..., Any] = map if way.lanes == 1 else self._lanes.map
        return np.concatenate(list(mapped(lambda part: _run(session, part), parts)))

    def _quickest(self) -> Way:
        """The way in which as many pictures take the least time; the best of a few tries, for others compute beside."""
        ways = _ways(self.threads)
        pictures = np.zeros((_TRIED * self.threads, *self.spec.input_size, 3), np.uint8)
        for session in (self._together, self._alone):
            _run(session, pictures[:2])  # the first time takes longer
        took, begun = dict[Way, float](), time.perf_counter()
        for _ in range(_TRIES):
            for way in ways:
                started = time.perf_counter()
                if started - begun > _MOST_S:
                    break
                self._computed(way, pictures)
                took[way] = min(took.get(way, float("inf")), time.perf_counter() - started)
            best = min(took.values())
            ways = [way for way in took if took[way] <= _WORTH_ANOTHER_TRY * best]
        return min(took, key=lambda way: took[way])


def _ways(threads: int) -> list[Way]:
    """Those that are often the quickest first."""
    together = [Way(1, batch) for batch in (8, 16, 32)]
    if threads == 1:
        return together
    apart = [Way(threads, batch) for batch in (4, 2, 8, 16)]
    return [apart[0], together[0], *apart[1:], *together[1:]]


def _run(session: Any, pictures: Pictures) -> Embeddings:
    found: Embeddings = session.run([EMBEDDINGS], {PICTURES: pictures})[0]
    return found


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise BadSetting(
            f"a bundle's network needs ONNX Runtime ({error}): pip install 'label-studio-espalier[bundle]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait by spinning take the cores from those that decode the next pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no class, and some are those of the C++ library below
        raise BadModel(f"{path.name} is no network that ONNX Runtime can open: {str(error)[:200]}") from error
