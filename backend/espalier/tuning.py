"""What the author of a tuner reads: from pictures and answers to a network of one's own.

A tuner is a class named in the entry-point group `espalier.tuners`. The network it makes is linear behind features of
norm 1: logits = coefficients @ (features / |features|) + intercepts, so that it becomes an encoder and a linear
classifier per head, like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .contract import EncoderRequest, Ids, Mask, Pictures, Scores, Targets, Weights
from .tuning_parameters import TuningParameters

TRAIN, VALIDATION = 0, 1
"""What `TuningData.parts` holds."""


@dataclass(frozen=True)
class TuningHead:
    """One question, with one row per picture. key: names it, and is fit for a file's name.

    targets float32 (n, k), mask bool (n, k) and weights float32 (n, k) as for a classifier; a row that is masked whole
    is not asked (a child is learned only where its parent holds). targets may lie between 0 and 1 where another network
    teaches.
    """

    key: str
    exclusive: bool
    targets: Targets
    mask: Mask
    weights: Weights


@dataclass(frozen=True)
class TuningData:
    """parts int8 (n,): TRAIN or VALIDATION; nothing else is ever shown to a tuner.

    `read` gets numbers of rows and a size (height, width), and gives their pictures in batches, in any order; rows
    whose picture cannot be read are left out. It may be called again, from one thread at a time.
    """

    heads: tuple[TuningHead, ...]
    parts: NDArray[np.int8]
    read: Callable[[Ids, tuple[int, int]], Iterator[tuple[Ids, Pictures]]]


@dataclass(frozen=True)
class TuningReport:
    """How far a tuner is. figures: train_loss, validation_loss, macro_f1, lr and the like, by name.

    scores: at evaluation steps, by head, float32 (v, k) of all validation rows in their order; else empty.
    """

    step: int
    steps: int
    epoch: float
    figures: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, Scores] = field(default_factory=dict)


@dataclass(frozen=True)
class TuningEstimate:
    """Measured on a few batches before the start, in seconds: of the training, and of getting the pictures."""

    steps: int
    seconds: float
    seconds_decoding: float
    remarks: tuple[str, ...] = ()


class Tuner(Protocol):
    """Makes a network from pictures and answers."""

    def estimate(self) -> TuningEstimate: ...

    def tune(self, directory: Path, report: Callable[[TuningReport], bool]) -> None:
        """Learn, and write `best` (by validation cross-entropy) and `last` into the directory, each whole or not there.

        Each is an encoder's directory: `EncoderRequest(directory=...)` opens it. It also holds `heads.safetensors` with
        `<key>.coefficients` float32 (k, dim) and `<key>.intercepts` float32 (k,) for every head.

        Where `report` returns False a person has cancelled: what is best so far is written, and that is all. Called
        again with the same directory after a kill, it goes on from the last checkpoint, to the result of an unbroken
        run.
        """
        ...


class TunerClass(Protocol):
    """What the entry point of a tuner names."""

    def open(self, request: EncoderRequest, data: TuningData, parameters: TuningParameters) -> Tuner:
        """Raises NoWeights, BadSetting or BadRequest with what to do."""
        ...
