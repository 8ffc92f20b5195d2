"""Picture quality: blurred, dark, washed out, flat, tiny or oddly shaped pictures, told in words.

The limits were measured on five sets of real pictures and on copies of them, blurred by 1 % of their longer side,
darkened to a fifth, lifted to the upper quarter of the range, or with 15 % of their contrast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .picture import Picture, Size

_LOOKED_AT = 256
"""Longer side in pixels at which sharpness is measured, so that it does not depend on resolution."""


@dataclass(frozen=True)
class Limits:
    """Beyond which a picture is named. Grey levels are 0 to 255."""

    sharpness: float = 0.05
    """Sharp pictures have 0.06 and more, blurred copies under 0.05."""
    dark: float = 52.0
    """19 of 20 pixels are darker than this; by day 139 is the least, at night it may be 41."""
    bright: float = 180.0
    """19 of 20 pixels are lighter than this."""
    contrast: float = 11.0
    """Standard deviation of grey levels."""
    side: int = 32
    """Shorter side in pixels of the original."""
    ratio: float = 3.0
    """Longer side by shorter side of the original; encoders squash pictures to a square."""


LIMITS = Limits()


@dataclass(frozen=True)
class PictureQuality:
    """sharpness: variance of the Laplacian by variance of grey levels, 0 and up. low and high: grey levels that 1 in 20
    pixels is under and over. contrast: standard deviation of grey levels. size: (height, width) of the original.
    """

    sharpness: float
    low: float
    high: float
    contrast: float
    size: Size

    def verdicts(self, limits: Limits = LIMITS) -> tuple[str, ...]:
        """What is wrong with it, each a few words that begin with the kind; empty where nothing is."""
        height, width = self.size
        found = []
        if self.high < limits.dark:
            found.append(f"dark: 19 of 20 pixels are under {self.high:.0f} of 255")
        elif self.low > limits.bright:
            found.append(f"washed out: 19 of 20 pixels are over {self.low:.0f} of 255")
        elif self.contrast < limits.contrast:
            found.append(f"low contrast: grey levels vary by {self.contrast:.0f} of 255")
        if self.contrast >= 1.0 and self.sharpness < limits.sharpness:
            found.append(f"blurred: sharpness {self.sharpness:.3f}, sharp pictures have {limits.sharpness:g} and more")
        if min(height, width) < limits.side:
            found.append(f"tiny: {width} x {height} pixels")
        if max(height, width) > limits.ratio * min(height, width):
            found.append(f"odd shape: {width} x {height} pixels")
        return tuple(found)


def picture_quality(picture: Picture, original: Size | None = None) -> PictureQuality:
    """Of one RGB picture uint8 (h, w, 3), which may be a smaller or squashed copy of one of `original` (height, width).

    A copy should have no less than 200 pixels a side, if the original has them.
    """
    height, width = original or (picture.shape[0], picture.shape[1])
    scale = min(1.0, _LOOKED_AT / max(height, width), max(picture.shape[:2]) / max(height, width))
    size = (max(3, round(width * scale)), max(3, round(height * scale)))
    grey = np.asarray(Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BOX), np.float32)
    low, high = np.quantile(grey, (0.05, 0.95))
    variance = float(grey.var())
    return PictureQuality(
        float(_laplacian(grey).var()) / max(variance, 1.0),
        float(low),
        float(high),
        variance**0.5,
        (height, width),
    )


def _laplacian(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    beside = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return np.asarray(4.0 * grey[1:-1, 1:-1] - beside)
