"""Pictures come out upright, in RGB and whole; anything else is refused in one clear sentence."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from espalier.errors import BadMedia
from espalier.media import orientation
from espalier.media.picture import read_picture

REFUSED = {
    "truncated_jpeg.jpg": "damaged or cut short",
    "truncated_image.png": "damaged or cut short",
    "truncated_end_chunk.png": "damaged or cut short",
    "png-truncated.png": "damaged or cut short",
    "cat_cut_half.jpg": "damaged or cut short",
    "decompression_bomb.gif": "100 megapixels",
    "bmp_b_badwidth.bmp": "100 megapixels",
    "bomb_50000x50000.png": "100 megapixels",
    "flat_16000x16000.png": "100 megapixels",
    "zero_width.gif": "zero width or height",
    "zero_byte.jpg": "is empty (0 bytes)",
    "html_error_page.jpg": "an HTML page, not a picture: the link probably needs a login",
    "svg_not_raster.svg": "an SVG drawing, not a picture: convert it to PNG",
    "zPug_3.heic": "an HEIC picture, not one that can be read: convert it to JPEG",
    "corrupted.heic": "an HEIC picture",
    "h265_video.mp4": "an MP4 or QuickTime video, not a picture",
}
MEANS = {  # of the whole picture, by hand from the pictures' makers: not white, not black
    "16_bit_noise.tif": (5, 20), "16bit.cropped.tif": (15, 35), "ramp_16bit.png": (125, 130),
    "pil_sample_cmyk.jpg": (5, 30), "transparent.webp": (190, 220), "avif_hopper.avif": (80, 95),
}  # fmt: skip


def test_every_odd_picture_is_read_or_refused_in_one_sentence(shared: Callable[[str], Path]) -> None:
    listed = json.loads((shared("data/bad") / "manifest.json").read_text())
    readable = 0
    for entry in listed:
        path = shared("data/bad") / entry["file"]
        started = time.perf_counter()
        for size in ((64, 48), None):
            if entry["file"] in REFUSED or (
                path.suffix in {".mp4", ".mkv", ".webm"} and entry["file"] != "jpg_named.mp4"
            ):
                with pytest.raises(BadMedia) as refused:
                    read_picture(path, size)
                assert REFUSED.get(entry["file"], "not a picture") in str(refused.value)
                assert "\n" not in str(refused.value)
            else:
                picture = read_picture(path, size)
                readable += 1
                assert picture.dtype == np.uint8
                assert picture.ndim == 3
                assert picture.shape[2] == 3
                assert size is None or picture.shape[:2] == size
                assert picture.flags.c_contiguous
                assert picture.flags.writeable
                low, high = MEANS.get(entry["file"], (0, 255))
                assert low <= picture.mean() <= high, entry["file"]
        assert time.perf_counter() - started < 30, entry["file"]
    assert readable > 40


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("told", range(1, 9))
@pytest.mark.parametrize("size", [None, (30, 44)], ids=["full", "resized"])
def test_pictures_are_put_upright_as_pillow_would(tmp_path: Path, kind: str, told: int, size: Any) -> None:
    ramp = np.zeros((60, 88, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.linspace(0, 250, 60)[:, None], np.linspace(0, 250, 88)[None]
    exif = Image.Exif()
    exif[0x0112] = told
    how: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    path = tmp_path / "picture"
    Image.fromarray(ramp).save(path, kind, exif=exif, **how)
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    if size:
        upright = upright.resize(size[::-1], Image.Resampling.BICUBIC)
    got = read_picture(path, size)
    assert got.shape == np.asarray(upright).shape
    assert np.abs(got.astype(int) - np.asarray(upright)).mean() < 3


@pytest.mark.parametrize(
    "exif",
    [
        b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x05",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x01\0\0\0\x06\0\0\0",
    ],
    ids=["empty", "cut", "points outside", "fewer entries than told", "wrong type"],
)  # fmt: skip
def test_nonsense_in_exif_means_upright(exif: bytes) -> None:
    assert orientation.of_exif(b"Exif\0\0" + exif) == orientation.UPRIGHT


def test_a_jpeg_cut_anywhere_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG")
    whole = buffer.getvalue()
    path = tmp_path / "cut.jpg"
    for missing in [*range(3, 40), *range(40, len(whole), 37)]:
        path.write_bytes(whole[:-missing])
        for size in ((16, 16), None):
            with pytest.raises(BadMedia):
                read_picture(path, size)


def test_the_quick_way_gives_what_the_slow_way_gives(tmp_path: Path) -> None:
    """Training pictures may be PNG and predicted ones JPEG: a model must not see the difference."""
    rng = np.random.default_rng(0)
    soft = Image.fromarray(rng.integers(0, 255, (30, 40, 3), np.uint8)).resize((1600, 1200), Image.Resampling.BICUBIC)
    soft.save(tmp_path / "a.jpg", quality=95)
    soft.save(tmp_path / "a.png")
    quick, slow = (read_picture(tmp_path / name, (224, 224)).astype(int) for name in ("a.jpg", "a.png"))
    assert np.abs(quick - slow).mean() < 1.5
    with Image.open(tmp_path / "a.png") as image:
        exact = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC), int)
    assert np.abs(slow - exact).mean() < 0.5


def test_fine_stripes_become_grey_and_not_moire(tmp_path: Path) -> None:
    stripes = np.zeros((600, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    for name in ("stripes.png", "stripes.jpg"):
        Image.fromarray(stripes).save(tmp_path / name)
        got = read_picture(tmp_path / name, (75, 100))
        assert got.std() < 5
        assert 120 < got.mean() < 135


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        (np.linspace(0, 65535, 4800).reshape(60, 80).astype(np.uint16), 127),
        (np.linspace(0, 4095, 4800).reshape(60, 80).astype(np.uint16), 127),
        (np.linspace(0, 255, 4800).reshape(60, 80).astype(np.uint16), 127),
        (np.linspace(0, 1, 4800).reshape(60, 80).astype(np.float32), 127),
        (np.linspace(0, 255, 4800).reshape(60, 80).astype(np.float32), 127),
        (np.linspace(-1000, 3000, 4800).reshape(60, 80).astype(np.int32), 127),
        (np.full((60, 80), 2048, np.uint16), 128),
        (np.zeros((60, 80), np.float32), 0),
    ],
    ids=["16 bits", "12 in 16 bits", "8 in 16 bits", "fractions", "floats to 255", "below zero", "flat", "black"],
)
def test_deep_grey_is_scaled_and_not_clipped(tmp_path: Path, values: np.ndarray[Any, Any], mean: int) -> None:
    path = tmp_path / "deep.tif"
    Image.fromarray(values).save(path)
    assert abs(float(read_picture(path, None).mean()) - mean) < 2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"])
def test_every_colour_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (40, 30), (255, 255, 255)).convert(mode)
    path = tmp_path / ("white.tif" if mode in {"CMYK", "YCbCr", "RGBX"} else "white.png")
    image.save(path)
    assert read_picture(path, (20, 20)).mean() > 250


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "glass.png")
    assert read_picture(tmp_path / "glass.png", None).min() == 255


def test_the_pixel_limit_is_the_settings_and_silent(tmp_path: Path) -> None:
    Image.new("1", (12000, 8000)).save(tmp_path / "large.png", compress_level=1)  # past Pillow's own warning
    tracemalloc.start()
    with pytest.raises(BadMedia, match="12000 x 8000 pixels, more than the 50 megapixels"):
        read_picture(tmp_path / "large.png", (32, 32), max_megapixels=50)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "large.png", (32, 32), max_megapixels=100).shape == (32, 32, 3)


def test_pictures_may_be_read_by_many_threads(tmp_path: Path) -> None:
    paths = []
    for number in range(24):
        paths.append(tmp_path / f"{number}.{'png' if number % 2 else 'jpg'}")
        Image.new("RGB", (64, 64), (number * 10, 0, 0)).save(paths[-1])
    limit = Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(8) as pool:
        reds = [int(picture[..., 0].mean()) for picture in pool.map(lambda path: read_picture(path, (8, 8)), paths * 5)]
    assert all(abs(red - (index % 24) * 10) <= 2 for index, red in enumerate(reds))
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_file_that_is_not_there_is_bad_media(tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match=r"gone\.png cannot be read from disk"):
        read_picture(tmp_path / "gone.png", None)
