"""Pictures painted for a network to learn from, with a single choice, a child of it, and a multiple choice.

Run as a program it tunes a network on them: `python painted.py DIRECTORY SECONDS`; each report then takes so long, so
that a test has the time to kill it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from espalier.contract import EncoderRequest, Ids, Pictures
from espalier.tuning import TuningData, TuningHead, TuningReport
from espalier.tuning_parameters import TuningParameters
from espalier_timm import TimmTuner

SIDE = 32
RESUMED = {
    "model": "test_resnet",
    "pretrained": False,
    "imgsz": SIDE,
    "epochs": 5,
    "batch_size": 8,
    "amp": "fp32",
    "augment": "strong",
    "dropout": 0.2,
    "ema": 0.9,
    "lr": 0.003,
    "seed": 3,
}
"""Everything that has to do with chance or memory is in it."""


def paint(count: int, seed: int = 0) -> TuningData:
    """A third of them is for validation. `colour` (red, green), `stripes` of the red ones (flat, upright), `marks`."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(60, 120, (count, SIDE, SIDE, 3), dtype=np.uint8)
    colour, upright = rng.integers(0, 2, count), rng.integers(0, 2, count)
    marks = rng.random((count, 2)) < 0.5
    for picture, green, standing, (first, second) in zip(pictures, colour, upright, marks, strict=True):
        picture[..., 1 if green else 0] += 100
        (picture.transpose(1, 0, 2) if standing else picture)[::4] //= 3
        if first:
            picture[2:10, 2:10] = 255
        if second:
            picture[-10:-2, -10:-2] = (0, 0, 255)

    def head(key: str, exclusive: bool, targets: Ids, asked: Ids) -> TuningHead:
        mask = np.repeat(asked[:, None].astype(np.bool_), targets.shape[1], axis=1)
        said = (targets * mask).astype(np.float32)
        return TuningHead(key, exclusive, said, mask, mask.astype(np.float32))

    everywhere = np.ones(count, np.int64)
    heads = (
        head("colour", True, np.eye(2, dtype=np.int64)[colour], everywhere),
        head("stripes", True, np.eye(2, dtype=np.int64)[upright], 1 - colour),
        head("marks", False, marks.astype(np.int64), everywhere),
    )

    def read(numbers: Ids, size: tuple[int, int]) -> Iterator[tuple[Ids, Pictures]]:
        times = size[0] // SIDE
        for start in range(0, len(numbers), 10):
            rows = numbers[start : start + 10][::-1]
            yield rows, pictures[rows].repeat(times, axis=1).repeat(times, axis=2)

    return TuningData(heads, (np.arange(count) % 3 == 0).astype(np.int8), read)


def main(directory: Path, seconds: float) -> None:
    def report(told: TuningReport) -> bool:
        if told.scores:
            print(f"epoch {told.epoch:g}", flush=True)
            time.sleep(seconds)
        return True

    parameters = TuningParameters.from_json(RESUMED)
    TimmTuner.open(EncoderRequest(device="cpu", threads=1), paint(48), parameters).tune(directory, report)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
