"""Tuning parameters: how a network is fine-tuned. The names are those that people know from elsewhere."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import BadRequest

_CHOICES: dict[str, tuple[str, ...]] = {
    "preset": ("fast", "balanced", "accurate"),
    "augment": ("none", "light", "standard", "strong"),
    "amp": ("auto", "fp32", "bf16"),
    "class_weight": ("none", "balanced"),
}
_RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 10_000),
    "minutes": (0.01, 60 * 24 * 7),
    "lr": (1e-8, 10),
    "batch_size": (1, 4096),
    "imgsz": (32, 1024),
    "weight_decay": (0, 1),
    "dropout": (0, 0.9),
    "label_smoothing": (0, 0.5),
    "layer_decay": (0.1, 1),
    "freeze": (0, 1),
    "ema": (0, 0.99999),
    "warmup": (0, 0.5),
    "patience": (0, 10_000),
    "mixup": (0, 1),
    "cutmix": (0, 1),
    "erasing": (0, 1),
    "focal_gamma": (0, 10),
    "linear_probe": (0, 1000),
    "search_budget": (0, 200),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True)
class TuningParameters:
    """None means: chosen by the preset, the network and the data."""

    model: str | None = None
    """A timm name, or one that people know, like RESNET50, VGG16 or MOBILENET_V3."""
    preset: str = "balanced"
    pretrained: bool | str = True
    """From pretrained weights; from the network of an own version, by its name; or False, from scratch."""
    epochs: int | None = None
    minutes: float | None = None
    """Instead of epochs: learn for as long."""
    lr: float | None = None
    batch_size: int | None = None
    imgsz: int | None = None
    """Height and width of the pictures, a multiple of 32."""
    weight_decay: float = 0.05
    dropout: float = 0.0
    label_smoothing: float = 0.1
    layer_decay: float = 0.75
    """Each layer learns slower than the one behind it by this factor."""
    freeze: float = 0.0
    """Share of the layers, from the picture's side, that do not learn."""
    ema: float | None = None
    """Decay of the moving average of the weights that is evaluated; 0 turns it off."""
    warmup: float = 0.05
    """Share of the steps over which the learning rate rises, before it falls as a cosine."""
    patience: int = 10
    """Epochs without a better validation cross-entropy after which learning stops; 0 never does."""
    seed: int = 0
    amp: str = "auto"
    augment: str = "standard"
    mixup: float | None = None
    cutmix: float | None = None
    erasing: float | None = None
    auto_augment: bool | None = None
    """These four are the preset of `augment` unless they are given."""
    class_weight: str = "none"
    oversample: bool = False
    """Rare classes are seen more often."""
    focal_gamma: float = 0.0
    linear_probe: int = 1
    """Epochs in which the heads alone learn, before the network does."""
    teacher: str | None = None
    """A version whose scores are learned as well: a smaller network learns from a larger one."""
    search_budget: int = 0
    """How many settings of learning rate, augmentation and regularisation are tried out before."""

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise BadRequest(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        optional = {entry.name for entry in dataclasses.fields(self) if entry.default is None}
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is None and name in optional:
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not (number and low <= value <= high):
                raise BadRequest(f"{name} must be a number within [{low:g}, {high:g}], got {value!r}")
        for name in ("epochs", "batch_size", "imgsz", "patience", "linear_probe", "search_budget", "seed"):
            if getattr(self, name) is not None and not isinstance(getattr(self, name), int):
                raise BadRequest(f"{name} must be a whole number, got {getattr(self, name)!r}")
        if self.imgsz is not None and self.imgsz % 32:
            near = max(32, round(self.imgsz / 32) * 32)
            raise BadRequest(f"imgsz must be a multiple of 32, got {self.imgsz}; {near} is the nearest")
        if self.epochs is not None and self.minutes is not None:
            raise BadRequest("give epochs or minutes, not both")

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TuningParameters:
        """From `to_json`, or from a person's request. Raises BadRequest naming what is unknown or out of range."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        if unknown := set(value) - known:
            raise BadRequest(f"unknown tuning parameters {sorted(unknown)}; known are {sorted(known)}")
        return cls(**value)
