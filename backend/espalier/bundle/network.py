"""The bundle's network: pictures in, embeddings out, by ONNX Runtime or a plugin's encoder."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..contract import Embeddings, Encoder, EncoderRequest, EncoderSpec, Pictures
from ..errors import BadModel
from ..jobs.ensemble_encoder import EnsembleEncoder
from ..plugins.checked import CheckedEncoder
from ..plugins.installed import find
from .onnx_network import OnnxNetwork, Way

PLAIN = Way(1, 32)
"""How an encoder computes of which nothing else is known."""
AHEAD = 2
"""Batches that wait for the network while their caller is busy with others."""


def open_network(directory: Path, model: Mapping[str, Any], precision: str) -> Network:
    """The encoder of one of a bundle's models, in `fp32` or `int8`; without a network, that of a plugin.

    Raises BadModel for what the bundle does not hold, and where the plugin gives other embeddings than it did.
    """
    if "members" in model:
        members = [_open(directory, member, member.get("network"))[0] for member in model["members"]]
        return Network(CheckedEncoder("ensemble", EnsembleEncoder(members)))
    return Network(*_open(directory, model, model.get("network" if precision == "fp32" else "network_int8")))


def _open(directory: Path, model: Mapping[str, Any], network: str | None) -> tuple[CheckedEncoder, Way]:
    about = model["encoder"]
    spec = EncoderSpec(about["name"], about["dim"], tuple(about["input_size"]), about["digest"], about["licence"])
    if network is not None:
        onnx = OnnxNetwork(directory / network, spec)
        return CheckedEncoder(about["plugin"], onnx), onnx.way
    encoder: Encoder = find("encoder", about["plugin"]).load().open(EncoderRequest(device="cpu"))
    if encoder.spec.digest != spec.digest:
        raise BadModel(
            f"this bundle was made with another {about['plugin']!r} encoder than the one installed here: "
            f"install the Espalier that wrote it, or write it again"
        )
    return CheckedEncoder(about["plugin"], encoder), PLAIN


class Network:
    """An encoder with threads of its own, so that its caller reads and decides while it computes.

    It may be used from many threads at once, which take turns. way: how many pictures it is best given at a time, and
    how many such batches it computes side by side.
    """

    def __init__(self, encoder: CheckedEncoder, way: Way = PLAIN) -> None:
        self.spec, self.way = encoder.spec, way
        self._encoder = encoder
        self._threads = ThreadPoolExecutor(way.lanes, thread_name_prefix="network")

    def encode(self, frames: Pictures) -> Embeddings:
        return self._threads.submit(self._encoder.encode, frames).result()

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        """One array per batch, in order; a few batches are pulled ahead, and are not to be reused."""
        flying: deque[Future[Embeddings]] = deque()
        try:
            for batch in batches:
                flying.append(self._threads.submit(self._encoder.encode, batch))
                if len(flying) >= self.way.lanes + AHEAD:
                    yield flying.popleft().result()
            while flying:
                yield flying.popleft().result()
        finally:
            for future in flying:
                future.cancel()
