"""What trainings and fine-tunings take, as requests hold it: the fields of their parameters, none of which is needed.

Ranges and what goes together are checked by the parameters themselves, in words.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .routes import Asked

Id = Annotated[int, Field(ge=1, le=2**53)]
Names = Annotated[list[str], Field(max_length=10_000)]
Tasks = Annotated[list[Id], Field(max_length=1_000_000)]


class TrainingChoices(Asked):
    """See `espalier train --help`. Filters are all, labeled, view=<tab id>, or <data field>=<pattern>."""

    classifications: Names | None = None
    leave_out: Names = Field([])
    tasks: Tasks | None = None
    filter: str = "all"
    val_split: float = Field(0.15, ge=0, le=0.5)
    test_split: float = Field(0.15, ge=0, le=0.5)
    val_tasks: Tasks | None = None
    val_filter: str | None = None
    split_column: str | None = None
    group_column: str | None = None
    seed: int = Field(0, ge=0, le=2**31 - 1)
    class_weight: Literal["none", "balanced"] = "none"
    class_weights: dict[str, float] = Field({})
    accepted_weight: float = Field(0.0, ge=0, le=10)
    confirmed_weight: float = Field(1.0, ge=0, le=10)
    default_labels: dict[str, str] = Field({})
    single_label: Names = Field([])
    one_vs_rest: Names = Field([])
    background: str | None = None
    min_images: int = Field(15, ge=0, le=10**6)
    search: bool = True
    frozen: bool = False


class TuningChoices(Asked):
    """See `espalier finetune --help`. What is null, or not given, is chosen by the preset, the network and the data."""

    model: str | None = None
    preset: Literal["fast", "balanced", "accurate"] = "balanced"
    pretrained: bool | str = True
    epochs: int | None = Field(None, ge=1, le=10_000)
    minutes: float | None = Field(None, ge=0.01, le=10_080)
    lr: float | None = Field(None, ge=1e-8, le=10)
    batch_size: int | None = Field(None, ge=1, le=4096)
    imgsz: int | None = Field(None, ge=32, le=1024)
    weight_decay: float = Field(0.05, ge=0, le=1)
    dropout: float = Field(0.0, ge=0, le=0.9)
    label_smoothing: float = Field(0.1, ge=0, le=0.5)
    layer_decay: float = Field(0.75, ge=0.1, le=1)
    freeze: float = Field(0.0, ge=0, le=1)
    ema: float | None = Field(None, ge=0, le=0.99999)
    warmup: float = Field(0.05, ge=0, le=0.5)
    patience: int = Field(10, ge=0, le=10_000)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    amp: Literal["auto", "fp32", "bf16"] = "auto"
    augment: Literal["none", "light", "standard", "strong"] = "standard"
    mixup: float | None = Field(None, ge=0, le=1)
    cutmix: float | None = Field(None, ge=0, le=1)
    erasing: float | None = Field(None, ge=0, le=1)
    auto_augment: bool | None = None
    class_weight: Literal["none", "balanced"] = "none"
    oversample: bool = False
    focal_gamma: float = Field(0.0, ge=0, le=10)
    linear_probe: int = Field(1, ge=0, le=1000)
    teacher: str | None = None
    search_budget: int = Field(0, ge=0, le=200)
