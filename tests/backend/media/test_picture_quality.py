"""Real pictures pass; copies of them that were spoiled are told by what was done to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from espalier.media.picture import Picture, read_picture
from espalier.media.picture_quality import Limits, picture_quality


def spoiled(picture: Picture, how: str) -> Picture:
    image = Image.fromarray(picture)
    match how:
        case "blurred":
            image = image.filter(ImageFilter.GaussianBlur(0.01 * max(image.size)))
        case "dark":
            image = ImageEnhance.Brightness(image).enhance(0.2)
        case "washed out":
            image = image.point(lambda level: int(185 + level * 70 / 255))
        case "low contrast":
            image = ImageEnhance.Contrast(image).enhance(0.12)
    return np.asarray(image)


def kinds(picture: Picture, original: tuple[int, int] | None = None) -> list[str]:
    return [verdict.split(":")[0] for verdict in picture_quality(picture, original).verdicts()]


@pytest.fixture(scope="module")
def photographs(shared: Callable[[str], Path]) -> list[Picture]:
    files = sorted(shared("data/images/clothing10").glob("*/*.jpg"))[::20]
    return [read_picture(file, None) for file in files]


def test_real_pictures_pass(photographs: list[Picture]) -> None:
    named = [kinds(picture) for picture in photographs]
    print(f"{sum(map(bool, named))} of {len(named)} real pictures are named")
    assert sum(map(bool, named)) <= 0.05 * len(named)


@pytest.mark.parametrize(
    ("how", "least"), [("blurred", 1.0), ("dark", 1.0), ("washed out", 1.0), ("low contrast", 0.9)]
)
def test_spoiled_copies_are_told(photographs: list[Picture], how: str, least: float) -> None:
    told = np.mean([how in kinds(spoiled(picture, how)) for picture in photographs])
    print(f"{how}: {told:.0%} of {len(photographs)}")
    assert told >= least


def test_a_squashed_copy_is_judged_as_its_original_is(photographs: list[Picture]) -> None:
    for picture in photographs[::5]:
        for whole in (picture, spoiled(picture, "blurred")):
            squashed = np.asarray(Image.fromarray(whole).resize((224, 224), Image.Resampling.BICUBIC))
            assert kinds(squashed, (whole.shape[0], whole.shape[1])) == kinds(whole)


def test_small_pictures_are_not_blurred_for_being_enlarged(photographs: list[Picture]) -> None:
    small = np.asarray(Image.fromarray(photographs[0]).resize((40, 40)))
    enlarged = np.asarray(Image.fromarray(small).resize((224, 224), Image.Resampling.BICUBIC))
    assert kinds(enlarged) == ["blurred"]
    assert kinds(enlarged, (40, 40)) == []


def test_size_and_shape_are_told_from_the_original(photographs: list[Picture]) -> None:
    picture = np.asarray(Image.fromarray(photographs[0]).resize((224, 224)))
    assert kinds(picture, (16, 20)) == ["tiny"]
    assert kinds(picture, (200, 900)) == ["odd shape"]
    assert picture_quality(picture, (20, 16)).verdicts() == ("tiny: 16 x 20 pixels",)
    assert picture_quality(picture, (20, 16)).verdicts(Limits(side=8)) == ()


@pytest.mark.parametrize("level", [0, 128, 255], ids=["black", "grey", "white"])
def test_an_even_picture_is_not_called_blurred(level: int) -> None:
    (only,) = kinds(np.full((50, 50, 3), level, np.uint8))
    assert only == {0: "dark", 128: "low contrast", 255: "washed out"}[level]


def test_one_pixel_is_judged() -> None:
    assert "tiny" in kinds(np.zeros((1, 1, 3), np.uint8))
