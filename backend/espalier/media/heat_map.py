"""A heat map laid over its picture, as PNG.

The picture is shown in grey, and the map in cividis: from dark blue to bright yellow, with lightness rising all the
way, so that people who see few colours, or none on paper, read the same from it.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .picture import Picture

LONGEST = 1024
"""Pixels of the longer side, at most."""
_CIVIDIS = (
    (0, 34, 78), (18, 53, 112), (59, 73, 108), (87, 93, 109), (112, 113, 115), (138, 134, 120), (165, 156, 116),
    (195, 179, 105), (225, 204, 85), (254, 232, 56),
)  # fmt: skip
_GREY = (0.299, 0.587, 0.114)
_LEAST, _MOST = 0.15, 0.75
"""How much of the colour is seen where the map is lowest and highest."""


def heat_map_png(picture: Picture, heat: NDArray[np.float32]) -> bytes:
    """picture: RGB uint8 (h, w, 3). heat: float32 (rows, columns), 0 and up, over the whole picture; 0 is no heat."""
    strength = heat_over(heat, (picture.shape[0], picture.shape[1]))[..., None]
    stops = np.linspace(0, 1, len(_CIVIDIS))
    colours = np.stack([np.interp(strength[..., 0], stops, np.array(_CIVIDIS)[:, one]) for one in range(3)], axis=-1)
    grey = (picture @ np.array(_GREY))[..., None]
    share = _LEAST + (_MOST - _LEAST) * strength
    image = Image.fromarray(np.clip(colours * share + grey * (1 - share), 0, 255).astype(np.uint8))
    image.thumbnail((LONGEST, LONGEST))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def heat_over(heat: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """The map for every pixel of a picture of (height, width), float32; its highest value is 1, or all are 0."""
    image = Image.fromarray(heat).resize(size[::-1], Image.Resampling.BICUBIC)
    whole = np.maximum(np.asarray(image, np.float32), 0)
    highest = float(whole.max())
    return np.asarray(whole / highest if highest > 0 else whole, np.float32)
