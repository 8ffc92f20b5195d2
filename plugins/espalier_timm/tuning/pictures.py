"""All pictures of a training, decoded once at its size: a file of bytes that is mapped into memory."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from espalier.contract import Ids
from espalier.errors import BadRequest
from espalier.tuning import TuningData

BYTES, THERE = "pictures.u8", "pictures.npy"
SPARE = 1 << 30
"""Bytes that are left free on the disk."""
AHEAD, WORKERS = 4, 3


class Pictures:
    """array uint8 (n, height, width, 3); there bool (n,): which could be read."""

    def __init__(self, array: NDArray[np.uint8], there: NDArray[np.bool_]) -> None:
        self.array, self.there = array, there

    @classmethod
    def decoded(
        cls, directory: Path, data: TuningData, size: tuple[int, int], going_on: Callable[[int], bool]
    ) -> Pictures | None:
        """Read them all, or map what an earlier call has read. going_on gets how many are read; None where it says no.

        Raises BadRequest where the disk has no room for them.
        """
        count = len(data.parts)
        shape = (count, *size, 3)
        kept = directory / THERE
        if kept.is_file() and (directory / BYTES).is_file():
            there = np.load(kept, allow_pickle=False)
            return cls(np.memmap(directory / BYTES, np.uint8, "r", shape=shape), there)
        needed, free = int(np.prod(shape)), shutil.disk_usage(directory).free
        if needed + SPARE > free:
            raise BadRequest(
                f"{count} pictures of {size[0]} x {size[1]} need {needed / 1e9:.1f} GB in {directory}, where "
                f"{free / 1e9:.1f} GB are free; make room, or choose a smaller imgsz"
            )
        array = np.memmap(directory / BYTES, np.uint8, "w+", shape=shape)
        there = np.zeros(count, np.bool_)
        for numbers, pictures in data.read(np.arange(count), size):
            array[numbers], there[numbers] = pictures, True
            if not going_on(int(there.sum())):
                return None
        array.flush()
        beside = directory / f".{THERE}"
        np.save(beside, there)
        beside.rename(kept)
        return cls(array, there)

    @staticmethod
    def forget(directory: Path) -> None:
        for name in (BYTES, THERE):
            (directory / name).unlink(missing_ok=True)

    def batches(self, orders: Iterable[Ids], device: torch.device) -> Iterator[tuple[Ids, Tensor]]:
        """uint8 (n, height, width, 3) on the device, for each of these lists; the next are fetched meanwhile."""
        on_gpu = device.type == "cuda"

        def fetch(rows: Ids) -> tuple[Ids, Tensor]:
            # Only pinned memory is sent without waiting; `take` lets the other threads run meanwhile.
            pictures = torch.empty((len(rows), *self.array.shape[1:]), dtype=torch.uint8, pin_memory=on_gpu)
            np.take(self.array, rows, axis=0, out=pictures.numpy(), mode="clip")
            return rows, pictures

        with ThreadPoolExecutor(WORKERS if on_gpu else 1, thread_name_prefix="pictures") as workers:
            flying: deque[Future[tuple[Ids, Tensor]]] = deque()
            try:
                for rows in orders:
                    flying.append(workers.submit(fetch, rows))
                    if len(flying) > (AHEAD if on_gpu else 1):
                        yield _placed(flying.popleft().result(), device)
                while flying:
                    yield _placed(flying.popleft().result(), device)
            finally:
                for waiting in flying:
                    waiting.cancel()


def _placed(fetched: tuple[Ids, Tensor], device: torch.device) -> tuple[Ids, Tensor]:
    rows, pictures = fetched
    return rows, pictures.to(device, non_blocking=True)
