"""How much pictures are changed while a network learns from them: the presets, and what a person set otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from espalier.tuning_parameters import TuningParameters


@dataclass(frozen=True)
class Recipe:
    """flip: share of pictures mirrored left to right. crop: least share of the area that is kept (1: all of it).
    rotation: degrees to either side. colour: how far brightness, contrast and saturation go. erasing, mixup, cutmix:
    share of the pictures it happens to. auto: one more random operation for each picture (TrivialAugment).
    """

    flip: float = 0.0
    crop: float = 1.0
    rotation: float = 0.0
    colour: float = 0.0
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    auto: bool = False

    @property
    def moves(self) -> bool:
        return self.flip > 0 or self.crop < 1 or self.rotation > 0


RECIPES: dict[str, Recipe] = {
    "none": Recipe(),
    "light": Recipe(flip=0.5, crop=0.8, colour=0.1),
    "standard": Recipe(flip=0.5, crop=0.5, rotation=10, colour=0.25, erasing=0.1),
    "strong": Recipe(flip=0.5, crop=0.25, rotation=20, colour=0.4, erasing=0.25, mixup=0.2, cutmix=0.3, auto=True),
}


def recipe(parameters: TuningParameters) -> Recipe:
    preset = RECIPES[parameters.augment]
    return replace(
        preset,
        erasing=preset.erasing if parameters.erasing is None else parameters.erasing,
        mixup=preset.mixup if parameters.mixup is None else parameters.mixup,
        cutmix=preset.cutmix if parameters.cutmix is None else parameters.cutmix,
        auto=preset.auto if parameters.auto_augment is None else parameters.auto_augment,
    )
