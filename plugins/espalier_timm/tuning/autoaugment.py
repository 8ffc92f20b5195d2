"""One random operation of random strength for each picture (TrivialAugment, arXiv 2103.10158)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

_STRAIGHT = InterpolationMode.BILINEAR


def _moved(picture: Tensor, *, right: float = 0.0, down: float = 0.0, shear: tuple[float, float] = (0, 0)) -> Tensor:
    height, width = picture.shape[-2:]
    moved: Tensor = functional.affine(
        picture,
        angle=0.0,
        translate=[round(right * width), round(down * height)],
        scale=1.0,
        shear=list(shear),
        interpolation=_STRAIGHT,
        fill=[124, 116, 104],
    )
    return moved


# Of a uint8 (3, h, w) picture and a strength in [-1, 1].
OPERATIONS: tuple[Callable[[Tensor, float], Tensor], ...] = (
    lambda picture, strength: picture,
    lambda picture, strength: _moved(picture, right=0.3 * strength),
    lambda picture, strength: _moved(picture, down=0.3 * strength),
    lambda picture, strength: _moved(picture, shear=(40 * strength, 0)),
    lambda picture, strength: _moved(picture, shear=(0, 40 * strength)),
    lambda picture, strength: functional.rotate(picture, 90 * strength, interpolation=_STRAIGHT, fill=[124, 116, 104]),
    lambda picture, strength: functional.adjust_brightness(picture, 1 + 0.9 * strength),
    lambda picture, strength: functional.adjust_contrast(picture, 1 + 0.9 * strength),
    lambda picture, strength: functional.adjust_saturation(picture, 1 + 0.9 * strength),
    lambda picture, strength: functional.adjust_sharpness(picture, 1 + 0.9 * strength),
    lambda picture, strength: functional.posterize(picture, 8 - round(6 * abs(strength))),
    lambda picture, strength: functional.solarize(picture, 255 * (1 - abs(strength))),
    lambda picture, strength: functional.autocontrast(picture),
    lambda picture, strength: functional.equalize(picture),
)


def altered(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """uint8 (n, height, width, 3), and the same again."""
    chosen = rng.integers(0, len(OPERATIONS), len(pictures))
    strengths = rng.uniform(-1, 1, len(pictures))
    planes = pictures.permute(0, 3, 1, 2)
    rows = [
        OPERATIONS[operation](picture, float(strength))
        for picture, operation, strength in zip(planes, chosen, strengths, strict=True)
    ]
    return torch.stack(rows).permute(0, 2, 3, 1)
