"""What a file is, in words, from its first bytes: for the message to the person whose file is not what it should be."""

from __future__ import annotations

import struct
from pathlib import Path

from ..errors import BadMedia

HEAD_BYTES = 512

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG\r\n", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (8, b"WEBP", "a WebP picture"),
    (8, b"AVI ", "an AVI video"),
    (8, b"WAVE", "a WAV sound file"),
    (0, b"ID3", "an MP3 sound file"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (128, b"DICM", "a DICOM file"),
)
_BRANDS = {
    b"avif": "an AVIF picture",
    b"avis": "an AVIF picture",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "an HEIC picture"),
}
_ADVICE = {
    "an HTML page": "the link probably needs a login, or does not exist any more",
    "a JSON document": "the link probably answered with an error",
    "an XML document": "the link probably answered with an error",
    "an SVG drawing": "convert it to PNG",
    "an HEIC picture": "convert it to JPEG",
    "a JPEG XL picture": "convert it to JPEG",
    "a DICOM file": "convert it to PNG",
    "a PDF document": "convert its pages to PNG",
}


def describe(first: bytes) -> str | None:
    """ "an HTML page", "a JPEG picture", ...; None where the bytes say nothing. Needs the first 512 bytes."""
    if not first:
        return "empty"
    if first[4:8] == b"ftyp":
        return _BRANDS.get(first[8:12], "an MP4 or QuickTime video")
    for offset, magic, words in _MAGIC:
        if first[offset : offset + len(magic)] == magic:
            return words
    return _text(first)


def head(path: Path) -> bytes:
    """The first 512 bytes of a file; BadMedia where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise BadMedia(f"{path.name} cannot be read from disk: {error.strerror or error}") from error


def _text(first: bytes) -> str | None:
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page"
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "an SVG drawing"
    if start.startswith(b"<?xml"):
        return "an XML document"
    if start.startswith((b"{", b"[")):
        return "a JSON document"
    return None


def complaint(first: bytes, wanted: str) -> str:
    """Why what begins so is not the `wanted` ("a picture", "a video"), with what to do where that is known."""
    first = first[:HEAD_BYTES]
    found = describe(first)
    noun = wanted.split()[-1]
    if found == "empty":
        return f"is empty (0 bytes), not {wanted}: upload it again"
    if found is None:
        return f"is not {wanted} that can be read"
    if _has_no_pixels(first):
        return f"is {found} of zero width or height: upload it again"
    if noun in found and found not in _ADVICE:
        return f"is {found} that is damaged or cut short: upload it again"
    advice = f": {_ADVICE[found]}" if found in _ADVICE else ""
    return f"is {found}, not {'one that can be read' if noun in found else wanted}{advice}"


def _has_no_pixels(first: bytes) -> bool:
    """Whether a GIF's or PNG's header names a width or height of zero."""
    if first.startswith(b"GIF8"):
        return 0 in struct.unpack_from("<HH", first.ljust(10, b"\1"), 6)
    if first[12:16] == b"IHDR":
        return 0 in struct.unpack_from(">II", first.ljust(24, b"\1"), 16)
    return False
