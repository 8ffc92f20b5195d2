"""OpenVINO on the CPU: two streams that do not wait for each other, bf16 where the processor has it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from espalier.contract import Pictures

from . import signal_stack
from .runtime import Features, Runtime

CHUNK = 8
"""Pictures per request. A dynamic batch ran as fast as a fixed one, and larger ones only fall out of the cache: 16 cost
MobileNetV2 a tenth, and ResNet-50 a fiftieth."""
STREAMS = 2
NAME = "openvino"


class OpenVinoRuntime:
    """A compiled graph (an ov.Model, or the path of a saved one)."""

    def __init__(self, graph: Any, precision: str, threads: int) -> None:
        import openvino as ov

        self.name = NAME
        self.precision = precision
        streams = STREAMS if threads != 1 else 1
        options = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": streams,
            # int8 layers are in the graph itself; what is left of it runs in the hinted precision.
            "INFERENCE_PRECISION_HINT": "f32" if precision == "fp32" else "bf16",
        }
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        compiled = ov.Core().compile_model(graph, "CPU", options)
        signal_stack.drop()
        self._streams = streams
        # One request more than streams: its input is copied while they compute.
        self._requests = [compiled.create_infer_request() for _ in range(streams + 1)]

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Features]:
        idle = list(self._requests)
        flying: deque[tuple[Any, bool]] = deque()  # the request, and whether it is its batch's last
        parts: list[Features] = []

        def land() -> Features | None:
            request, last = flying.popleft()
            request.wait()
            parts.append(request.get_output_tensor(0).data.copy())
            idle.append(request)
            if not last:
                return None
            whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
            parts.clear()
            return whole

        try:
            for batch in batches:
                # A small batch is cut so that every stream has a share of it.
                size = min(CHUNK, -(-len(batch) // self._streams))
                for start in range(0, len(batch), size):
                    if not idle and (landed := land()) is not None:
                        yield landed
                    request = idle.pop()
                    request.start_async({0: batch[start : start + size]})
                    flying.append((request, start + size >= len(batch)))
            while flying:
                if (landed := land()) is not None:
                    yield landed
        finally:
            # Also when the caller stops early: a request in flight would refuse the next call.
            for request, _ in flying:
                request.wait()


_: type[Runtime] = OpenVinoRuntime
