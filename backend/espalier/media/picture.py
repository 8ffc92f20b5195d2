"""Pictures from files: any common format in, upright RGB out, or one sentence about what is wrong.

What a file is is told by its content, never by its name. A damaged or cut file is refused, so that nobody trains on
half a picture. Transparency is laid on white, the colour of the page on which Label Studio shows it. Animations give
their first frame. Grey of more than 8 bits is scaled by its depth, not clipped.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from ..errors import BadMedia
from . import orientation, sniff

Picture = NDArray[np.uint8]
Size = tuple[int, int]
"""(height, width) in pixels."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "ICO")
"""What Pillow may open; above all not PostScript, which would run a program."""
# What Pillow's decoders raise for files that break their format's rules.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, RuntimeError,
    ArithmeticError, MemoryError, struct.error, zlib.error,
)  # fmt: skip
_pillow_header = threading.Lock()


def read_picture(path: Path, size: Size | None, *, max_megapixels: int = 100) -> Picture:
    """The picture as RGB uint8 (h, w, 3), C-contiguous, the caller's own; h, w = `size`, or its own size where None.

    `size` squashes: the sides' ratio is not kept. Raises BadMedia where the file cannot be read whole, or holds more
    than `max_megapixels`, which is told from its header before anything is decoded.
    """
    return decode_picture(_content(path), path.name, size, max_megapixels=max_megapixels)


def decode_picture(data: bytes, name: str, size: Size | None, *, max_megapixels: int = 100) -> Picture:
    """`read_picture` for a file's content; name: what it is called where something is wrong with it."""
    picture = _fast_jpeg(data, size, max_megapixels, name) if data[:3] == b"\xff\xd8\xff" else None
    return _with_pillow(data, size, max_megapixels, name) if picture is None else picture


def picture_size(path: Path) -> Size:
    """Upright, told from the header without decoding. Raises BadMedia where the file is no picture."""
    data = _content(path)
    try:
        image = _open(data)
        swapped = orientation.swaps_sides(_orientation(image))
    except _BROKEN as error:
        raise BadMedia(f"{path.name} {sniff.complaint(data, 'a picture')}") from error
    return image.size if swapped else image.size[::-1]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadMedia(f"{path.name} cannot be read from disk: {error.strerror or error}") from error


def _fast_jpeg(data: bytes, size: Size | None, max_megapixels: int, name: str) -> Picture | None:
    """A flawless grey or colour JPEG, decoded at no more than the resolution needed; None for any other."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in ("YCbCr", "RGB", "GRAY", "Gray"):
            return None
        _check_size(height, width, max_megapixels, name)
        turn = orientation.of_jpeg(data)
        stored = size[::-1] if size and orientation.swaps_sides(turn) else size
        least_height, least_width = stored or (0, 0)
        picture = simplejpeg.decode_jpeg(data, "RGB", min_height=least_height, min_width=least_width, strict=True)
    except ValueError:  # a flaw, which Pillow knows how to judge: a cut picture is refused, a stray byte is not
        return None
    return _finish(Image.fromarray(picture), turn, size) if size else _owned(orientation.put_upright(picture, turn))


def _with_pillow(data: bytes, size: Size | None, max_megapixels: int, name: str) -> Picture:
    try:
        image = _open(data)
        _check_size(image.height, image.width, max_megapixels, name)
        turn = _orientation(image)
        if size:
            image.draft(None, size if orientation.swaps_sides(turn) else size[::-1])
        image.load()
        if image.format == "PNG" and b"IEND" not in data:  # Pillow is content with the pixels; the end may be missing
            raise ValueError("no end chunk")
        return _finish(_to_rgb(image), turn, size)
    except _BROKEN as error:
        raise BadMedia(f"{name} {sniff.complaint(data, 'a picture')}") from error


def _open(data: bytes) -> Image.Image:
    # Pillow's own limit is a process-wide setting that warns and raises by itself, and its EXIF reader warns aloud.
    # Both are set aside, for the header only and one thread at a time; ours is checked right after.
    with _pillow_header, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.init()
        known = [name for name in FORMATS if name in Image.OPEN]
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(data), formats=known)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _check_size(height: int, width: int, max_megapixels: int, name: str) -> None:
    if height < 1 or width < 1:
        raise BadMedia(f"{name} is {width} x {height} pixels, which is no picture: upload it again")
    if height * width > max_megapixels * 1_000_000:
        raise BadMedia(
            f"{name} is {width} x {height} pixels, more than the {max_megapixels} megapixels allowed: "
            f"make it smaller, or raise ESPALIER_MAX_MEGAPIXELS"
        )


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":  # which Pillow puts upright by itself
        return orientation.UPRIGHT
    exif = image.info.get("exif")
    return orientation.of_exif(exif) if isinstance(exif, bytes) else orientation.UPRIGHT


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_to_8_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        page = Image.new("RGB", image.size, "white")
        page.paste(image, mask=image.getchannel("A"))
        return page
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_8_bits(grey: NDArray[np.generic]) -> Picture:
    """Grey of any depth as uint8: by 8, 12 or 16 bits, whichever holds its brightest pixel.

    Fractions within [0, 1] count as such; negative values, and values past 16 bits, are stretched over their range.
    """
    values = np.nan_to_num(grey.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if grey.dtype.kind == "f" and low >= 0 and high <= 1:
        white = 1.0
    elif low < 0 or high > 65535:
        values, white = values - low, max(high - low, 1e-12)
    else:
        white = next(depth for depth in (255.0, 4095.0, 65535.0) if high <= depth)
    return (values * (255.0 / white) + 0.5).astype(np.uint8)


def _finish(image: Image.Image, turn: int, size: Size | None) -> Picture:
    if size:
        height, width = size[::-1] if orientation.swaps_sides(turn) else size
        if image.size != (width, height):
            # Pillow's bicubic widens with the shrinkage, so nothing aliases; the gap lets it shrink by whole steps.
            image = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return _owned(orientation.put_upright(np.asarray(image), turn))


def _owned(picture: Picture) -> Picture:
    return np.array(picture, order="C", copy=True) if not _is_owned(picture) else picture


def _is_owned(picture: Picture) -> bool:
    return picture.flags.c_contiguous and picture.flags.writeable and picture.flags.owndata
