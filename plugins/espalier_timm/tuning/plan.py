"""How one training goes: what the person asked for, and for the rest what suits network, device and data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from espalier.tuning_parameters import TuningParameters

from .recipe import Recipe, recipe

# Steps, least epochs, most epochs. Small sets are gone through more often, large ones need no more than a few times.
_LENGTH = {"fast": (150, 3, 20), "balanced": (400, 6, 40), "accurate": (1200, 12, 80)}
BATCH = {"cpu": 32, "cuda": 64}
LR, LR_FROM_SCRATCH = 5e-4, 1e-3
"""For batches of 32; it grows with the root of the batch, as Adam's noise does."""


@dataclass(frozen=True)
class Plan:
    """Every number of one training.

    seconds: instead of epochs, from the start of the network's own learning; `epochs` is then what is usual.
    """

    batch: int
    epochs: int
    seconds: float | None
    lr: float
    weight_decay: float
    dropout: float
    label_smoothing: float
    layer_decay: float
    freeze: float
    ema: float
    warmup: float
    patience: int
    seed: int
    bf16: bool
    recipe: Recipe
    class_weight: str
    oversample: bool
    focal_gamma: float
    linear_probe: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def plan(parameters: TuningParameters, rows: int, *, on_gpu: bool, scratch: bool, bf16: bool) -> Plan:
    """rows: pictures to learn from. scratch: the weights mean nothing yet, so that all layers learn alike."""
    usual = BATCH["cuda" if on_gpu else "cpu"]
    # A small set still needs some steps an epoch, and no batch has the same picture twice.
    batch = min(parameters.batch_size or min(usual, max(4, rows // 8)), max(1, rows))
    steps = steps_of(rows, batch)
    target, least, most = _LENGTH[parameters.preset]
    epochs = parameters.epochs or min(most, max(least, math.ceil(target / steps)))
    lr = parameters.lr or (LR_FROM_SCRATCH if scratch else LR) * math.sqrt(batch / 32)
    # An average over a tenth of the way is calm, and does not remember the beginning.
    ema = 1 - 10 / max(20, epochs * steps) if parameters.ema is None else parameters.ema
    return Plan(
        batch=batch,
        epochs=epochs,
        seconds=None if parameters.minutes is None else parameters.minutes * 60,
        lr=lr,
        weight_decay=parameters.weight_decay,
        dropout=parameters.dropout,
        label_smoothing=parameters.label_smoothing,
        layer_decay=1.0 if scratch else parameters.layer_decay,
        freeze=parameters.freeze,
        ema=min(ema, 0.9998) if parameters.ema is None else ema,
        warmup=parameters.warmup,
        patience=parameters.patience,
        seed=parameters.seed,
        bf16=bf16,
        recipe=recipe(parameters),
        class_weight=parameters.class_weight,
        oversample=parameters.oversample,
        focal_gamma=parameters.focal_gamma,
        # Features of random weights say nothing that heads could learn first.
        linear_probe=0 if scratch else parameters.linear_probe,
    )


def steps_of(rows: int, batch: int) -> int:
    """Steps in which every row is seen once; the last batch is filled up."""
    return max(1, math.ceil(rows / batch))
