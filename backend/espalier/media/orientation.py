"""Which way up a picture is: the orientation that EXIF tells, read without trusting the rest of the EXIF."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

UPRIGHT = 1
_TAG = 0x0112
_SHORT = 3


def of_jpeg(data: bytes) -> int:
    """The EXIF orientation (1 to 8) of a JPEG file; 1 where it tells none, or nonsense."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xDA or size < 2:  # the picture itself starts
            break
        if marker == 0xE1 and data[position + 4 : position + 10] == b"Exif\0\0":
            return of_exif(data[position + 4 : position + 2 + size])
        position += 2 + size
    return UPRIGHT


def of_exif(exif: bytes) -> int:
    """The orientation (1 to 8) in a block of EXIF; 1 where it tells none, or nonsense."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(entries):
            tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * entry)
            if tag == _TAG:
                return value if kind == _SHORT and 1 <= value <= 8 else UPRIGHT
    except struct.error:  # the block ends before its own table does
        pass
    return UPRIGHT


def swaps_sides(orientation: int) -> bool:
    """Whether height and width change places when the picture is put upright."""
    return orientation >= 5


def put_upright(picture: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """A view of (h, w, 3) as it should be seen."""
    if swaps_sides(orientation):
        picture = picture.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return picture
