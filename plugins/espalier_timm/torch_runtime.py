"""torch itself: on a GPU, and on the CPU where OpenVINO is not installed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from espalier.contract import Pictures

from .network import Description
from .runtime import Features, Runtime

if TYPE_CHECKING:
    import torch

AHEAD = 2
"""Batches in flight on a GPU while the next one is decoded."""


class TorchRuntime:
    """device: a torch device name. precision: `bf16` (autocast) or `fp32`."""

    def __init__(
        self, module: torch.nn.Module, description: Description, device: str, precision: str, threads: int
    ) -> None:
        import torch

        self.name = f"torch-{torch.device(device).type}"
        self.precision = precision
        self.device = torch.device(device)
        self.on_gpu = self.device.type == "cuda"
        if threads and not self.on_gpu:
            torch.set_num_threads(threads)
        placed: Any = module  # `to` with both arguments is missing from its annotations
        self.module = placed.to(self.device, memory_format=torch.channels_last)
        self.mean = torch.tensor(description.mean, device=self.device).view(1, 3, 1, 1) * 255
        self.scale = 1 / (torch.tensor(description.std, device=self.device).view(1, 3, 1, 1) * 255)

    def stream(self, batches: Iterable[Pictures]) -> Iterator[Features]:
        flying: deque[tuple[Any, Any]] = deque()  # features on their way to the CPU, and the event of their arrival
        for batch in batches:
            flying.append(self._start(batch))
            if len(flying) > (AHEAD if self.on_gpu else 0):
                yield _land(*flying.popleft())
        while flying:
            yield _land(*flying.popleft())

    def _start(self, batch: Pictures) -> tuple[Any, Any]:
        import torch

        with torch.inference_mode():
            # A copy of our own: the caller may reuse the batch, and only pinned memory is sent without waiting.
            pictures = torch.from_numpy(np.array(batch))
            if self.on_gpu:
                pictures = pictures.pin_memory().to(self.device, non_blocking=True)
            # (n, height, width, 3) seen as (n, 3, height, width) is channels_last already.
            values = (pictures.permute(0, 3, 1, 2).float() - self.mean) * self.scale
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                features = self.module(values)
            features = features.float()
            if not self.on_gpu:
                return features, None
            arrived = torch.empty(features.shape, dtype=torch.float32, pin_memory=True)
            arrived.copy_(features, non_blocking=True)
            event: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record(torch.cuda.current_stream(self.device))
            return arrived, event


def _land(features: Any, event: Any) -> Features:
    if event is not None:
        event.synchronize()
    array: Features = features.numpy()
    # Pinned memory is a scarce thing: the caller gets an array of its own.
    return array.copy() if event is not None else array


_: type[Runtime] = TorchRuntime
