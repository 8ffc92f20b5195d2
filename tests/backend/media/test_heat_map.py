"""A heat map over its picture, read back from the PNG."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from espalier.media.heat_map import LONGEST, heat_map_png, heat_over


def read(png: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"), np.float64)


def test_heat_is_bright_and_yellow_and_the_rest_dark_and_blue() -> None:
    picture = np.full((80, 120, 3), 128, np.uint8)
    heat = np.zeros((4, 6), np.float32)
    heat[:2, :3] = 1
    shown = read(heat_map_png(picture, heat))
    assert shown.shape == (80, 120, 3)
    hot, cold = shown[10, 15], shown[70, 110]
    assert hot.mean() > cold.mean() + 30, "lightness alone tells it, for people who see few colours"
    assert hot[0] > hot[2] + 50
    assert cold[2] > cold[0]


def test_the_picture_shows_through() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 255
    for value in (0.0, 1.0):
        shown = read(heat_map_png(picture, np.full((3, 3), value, np.float32)))
        assert shown[32, 50].mean() > shown[32, 10].mean() + 30


def test_a_map_without_heat_is_shown_as_one() -> None:
    assert heat_over(np.zeros((7, 7), np.float32), (20, 30)).max() == 0
    assert heat_over(np.full((7, 7), 1e-7, np.float32), (20, 30)).max() == pytest.approx(1)


def test_a_large_picture_is_made_smaller() -> None:
    shown = read(heat_map_png(np.zeros((600, 2400, 3), np.uint8), np.ones((7, 7), np.float32)))
    assert shown.shape == (LONGEST // 4, LONGEST, 3)
