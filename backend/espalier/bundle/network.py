"""The bundle's network: pictures in, embeddings out, on ONNX Runtime alone."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ..contract import Embeddings, Encoder, EncoderRequest, EncoderSpec, Pictures
from ..errors import BadModel, BadSetting
from ..jobs.ensemble_encoder import EnsembleEncoder
from ..plugins.checked import CheckedEncoder
from ..plugins.installed import find

PICTURES, EMBEDDINGS = "pictures", "embeddings"
BATCH = 32
_BATCHES = (8, 16, 32)
"""What a network computes at a time: few pictures stay in the processor's cache, many keep a large processor busy.

Measured on two cores, MobileNetV2 does 8 at a time a fifth faster than 32."""
_TRIES = 3
AHEAD = 2
"""Batches that wait for the network while their caller is busy with others."""


class OnnxNetwork:
    """An encoder of a file. Raises BadModel where the file is no network of the right form, BadSetting without runtime.

    threads: 0 means one per core that this process may use.
    """

    def __init__(self, path: Path, spec: EncoderSpec, *, threads: int = 0) -> None:
        self.spec = spec
        self._session = _session(path, threads or len(os.sched_getaffinity(0)))
        takes = [(one.name, one.type, list(one.shape[1:])) for one in self._session.get_inputs()]
        gives = [(one.name, one.type, list(one.shape[1:])) for one in self._session.get_outputs()]
        wanted_in = [(PICTURES, "tensor(uint8)", [*spec.input_size, 3])]
        if takes != wanted_in or gives != [(EMBEDDINGS, "tensor(float)", [spec.dim])]:
            raise BadModel(f"{path.name} takes {takes} and gives {gives}, which is not what the bundle's encoder does")
        self.batch = self._quickest()

    def encode(self, frames: Pictures) -> Embeddings:
        """float32 (n, dim) of norm 1, for uint8 (n, height, width, 3), n >= 1."""
        return self._run(frames, self.batch)

    def _run(self, frames: Pictures, batch: int) -> Embeddings:
        parts = [
            self._session.run([EMBEDDINGS], {PICTURES: frames[start : start + batch]})[0]
            for start in range(0, len(frames), batch)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _quickest(self) -> int:
        """The batch with which as many pictures take the least time here; the best of a few tries, for others compute
        beside."""
        pictures = np.zeros((BATCH, *self.spec.input_size, 3), np.uint8)
        took = dict.fromkeys(_BATCHES, float("inf"))
        for _ in range(_TRIES):
            for batch in _BATCHES:
                started = time.perf_counter()
                self._run(pictures, batch)
                took[batch] = min(took[batch], time.perf_counter() - started)
        return min(took, key=lambda batch: took[batch])


def open_network(directory: Path, model: Mapping[str, Any], precision: str) -> Network:
    """The encoder of one of a bundle's models, in `fp32` or `int8`; without a network, that of a plugin.

    Raises BadModel for what the bundle does not hold, and where the plugin gives other embeddings than it did.
    """
    if "members" in model:
        members = [_open(directory, member, member.get("network")) for member in model["members"]]
        return Network(CheckedEncoder("ensemble", EnsembleEncoder(members)))
    return Network(_open(directory, model, model.get("network" if precision == "fp32" else "network_int8")))


def _open(directory: Path, model: Mapping[str, Any], network: str | None) -> CheckedEncoder:
    about = model["encoder"]
    spec = EncoderSpec(about["name"], about["dim"], tuple(about["input_size"]), about["digest"], about["licence"])
    if network is not None:
        return CheckedEncoder(about["plugin"], OnnxNetwork(directory / network, spec))
    encoder: Encoder = find("encoder", about["plugin"]).load().open(EncoderRequest(device="cpu"))
    if encoder.spec.digest != spec.digest:
        raise BadModel(
            f"this bundle was made with another {about['plugin']!r} encoder than the one installed here: "
            f"install the Espalier that wrote it, or write it again"
        )
    return CheckedEncoder(about["plugin"], encoder)


class Network:
    """An encoder with a thread of its own, so that its caller reads and decides while it computes.

    It may be used from many threads at once; they take turns, for each batch takes every core.
    """

    def __init__(self, encoder: CheckedEncoder) -> None:
        self.spec = encoder.spec
        self._encoder = encoder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")

    def encode(self, frames: Pictures) -> Embeddings:
        return self._thread.submit(self._encoder.encode, frames).result()

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        """One array per batch, in order; a few batches are pulled ahead, and are not to be reused."""
        flying: deque[Future[Embeddings]] = deque()
        try:
            for batch in batches:
                flying.append(self._thread.submit(self._encoder.encode, batch))
                if len(flying) > AHEAD:
                    yield flying.popleft().result()
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()


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
