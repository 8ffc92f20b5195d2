"""What trainings and fine-tunings take, as requests hold it: the fields of their parameters, none of which is needed.

Ranges and what goes together are checked by the parameters themselves, in words. The panel makes its forms of the
schemas: what most people choose by is `basic` there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .routes import Asked

Id = Annotated[int, Field(ge=1, le=2**53)]
Names = Annotated[list[str], Field(max_length=10_000)]
Tasks = Annotated[list[Id], Field(max_length=1_000_000)]

Kind = Literal["", "classifications", "options", "tasks"]


def _basic(default: object, meaning: str, *, kind: Kind = "", **limits: Any) -> Any:
    return _field(default, meaning, kind, limits, level="basic")


def _advanced(default: object, meaning: str, *, kind: Kind = "", **limits: Any) -> Any:
    return _field(default, meaning, kind, limits, level="advanced")


def _field(default: object, meaning: str, kind: Kind, limits: dict[str, Any], *, level: str) -> Any:
    told: dict[str, Any] = {"x-level": level, **({"x-kind": kind} if kind else {})}
    return Field(default, description=meaning, json_schema_extra=told, **limits)


class TrainingChoices(Asked):
    """See `espalier train --help`. Filters are all, labeled, view=<tab id>, or <data field>=<pattern>."""

    classifications: Names | None = _basic(None, "Learn only these; none chosen: all.", kind="classifications")
    leave_out: Names = _advanced(
        [], "Classifications, or `classification/option`, that are not learned.", kind="options"
    )
    tasks: Tasks | None = _advanced(None, "Learn from these tasks only, by their ids.", kind="tasks")
    filter: str = _basic("all", "Learn from: all, labeled, view=<tab id>, or <data field>=<pattern with * and ?>.")
    val_split: float = _basic(0.15, "Share of the media that is kept to choose by, 0 to 0.5.", ge=0, le=0.5)
    test_split: float = _basic(0.15, "Share of the media that is kept to judge on at the end, 0 to 0.5.", ge=0, le=0.5)
    val_tasks: Tasks | None = _advanced(None, "The validation set, chosen by hand: ids of tasks.", kind="tasks")
    val_filter: str | None = _advanced(None, "The validation set, by a filter as above.")
    split_column: str | None = _advanced(None, "A data field that says train, validation or test of each task.")
    group_column: str | None = _advanced(None, "A data field; tasks of equal value stay on one side of every check.")
    seed: int = _advanced(0, "Deals the parts by chance in another way.", ge=0, le=2**31 - 1)
    class_weight: Literal["none", "balanced"] = _basic("none", "balanced: rare classes count more.")
    class_weights: dict[str, float] = _advanced({}, "`classification/option` = weight; 1 where nothing is said.")
    accepted_weight: float = _advanced(
        0.0, "What answers count that were accepted in bulk, unseen; 0 leaves them out.", ge=0, le=10
    )
    confirmed_weight: float = _advanced(
        1.0, "What answers count that a person submitted as they were predicted.", ge=0, le=10
    )
    default_labels: dict[str, str] = _advanced(
        {}, "`classification` = the option that counts where several hold and one may."
    )
    single_label: Names = _advanced(
        [], "Multiple choices that are learned as if exactly one option held.", kind="classifications"
    )
    one_vs_rest: Names = _advanced(
        [], "Single choices that are learned as a yes or no for each option.", kind="classifications"
    )
    background: str | None = _advanced(None, "A filter: tasks that show none of the options, annotated or not.")
    min_images: int = _advanced(15, "Warn of classes with fewer images.", ge=0, le=10**6)
    search: bool = _advanced(True, "Let the classifier look for its own parameters.")
    frozen: bool = _advanced(False, "Leave a fine-tuned network, and go back to the encoder of the settings.")


class TuningChoices(Asked):
    """See `espalier finetune --help`. What is null, or not given, is chosen by the preset, the network and the data."""

    model: str | None = _advanced(
        None, "A timm name, or one like RESNET50, VGG16, VIT; the preset's where nothing is said."
    )
    preset: Literal["fast", "balanced", "accurate"] = _basic(
        "balanced", "Size of the network, and with it the time: fast, balanced or accurate."
    )
    pretrained: bool | str = _advanced(
        True, "From pretrained weights, from scratch, or from the network of an own version, by its name."
    )
    epochs: int | None = _basic(
        None, "How often every frame is seen; chosen by the preset where nothing is said.", ge=1, le=10_000
    )
    minutes: float | None = _basic(None, "Instead of epochs: learn for as long.", ge=0.01, le=10_080)
    lr: float | None = _advanced(None, "Learning rate.", ge=1e-8, le=10)
    batch_size: int | None = _advanced(None, "Frames a step.", ge=1, le=4096)
    imgsz: int | None = _advanced(None, "Height and width of the pictures, a multiple of 32.", ge=32, le=1024)
    weight_decay: float = _advanced(0.05, "Pulls weights towards 0.", ge=0, le=1)
    dropout: float = _advanced(0.0, "Share of features that are left out while learning.", ge=0, le=0.9)
    label_smoothing: float = _advanced(0.1, "How much every label is doubted.", ge=0, le=0.5)
    layer_decay: float = _advanced(
        0.75, "Each layer learns slower than the one behind it by this factor.", ge=0.1, le=1
    )
    freeze: float = _advanced(0.0, "Share of the layers, from the picture's side, that do not learn.", ge=0, le=1)
    ema: float | None = _advanced(None, "Decay of the moving average of the weights; 0 turns it off.", ge=0, le=0.99999)
    warmup: float = _advanced(0.05, "Share of the steps over which the learning rate rises.", ge=0, le=0.5)
    patience: int = _advanced(10, "Stop after so many epochs without a better result; 0 never does.", ge=0, le=10_000)
    seed: int = _advanced(0, "Of all that is left to chance.", ge=0, le=2**31 - 1)
    amp: Literal["auto", "fp32", "bf16"] = _advanced(
        "auto", "Arithmetic: fp32 is exact, bf16 is faster where the device knows it."
    )
    augment: Literal["none", "light", "standard", "strong"] = _basic(
        "standard", "How much pictures are changed while learning."
    )
    mixup: float | None = _advanced(
        None,
        "Share by which two pictures are mixed; `augment` decides where nothing is said, 0 turns it off.",
        ge=0,
        le=1,
    )
    cutmix: float | None = _advanced(None, "The same, by pasting a part of one into the other.", ge=0, le=1)
    erasing: float | None = _advanced(None, "Share of the pictures of which a part is erased.", ge=0, le=1)
    auto_augment: bool | None = _advanced(
        None, "Changes of colour and shape that were found to help; `augment` decides where nothing is said."
    )
    class_weight: Literal["none", "balanced"] = _basic("none", "balanced: rare classes count more.")
    oversample: bool = _advanced(False, "Rare classes are seen more often.")
    focal_gamma: float = _advanced(0.0, "Above 0: what is known already counts less (focal loss).", ge=0, le=10)
    linear_probe: int = _advanced(1, "Epochs in which the heads alone learn, at first.", ge=0, le=1000)
    teacher: str | None = _advanced(
        None, "A version whose scores are learned as well, also on frames that nobody has labeled."
    )
    search_budget: int = _advanced(0, "How many settings are tried out before.", ge=0, le=200)
