"""Names of files: what a task's address calls its file, and names that are safe on every system."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

Parts = tuple[str, ...]
"""Directories, and last the file."""

PICTURES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".jp2", ".ico", ".svg"]
)
VIDEOS = frozenset([".mp4", ".webm", ".mov", ".avi", ".mkv", ".m4v", ".ogv", ".mpg", ".mpeg"])
_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)", re.IGNORECASE)
_MOST_BYTES = 120


def parts_of(address: str) -> Parts:
    """The path in an address, a local-files link, or a name as people write it; () where there is none.

    Of an upload of Label Studio only the file's own name is told: its directory and its prefix mean nothing.
    """
    text = address.strip()
    if not text or text[:5].lower() == "data:":
        return ()
    if "://" in text or text.startswith("/"):
        split = urlsplit(text)
        named = parse_qs(split.query)
        path = next((named[key][0] for key in ("d", "fileuri") if key in named), None)
        path = unquote(split.path) if path is None else path
        text = path
    parts = tuple(part for part in text.replace("\\", "/").split("/") if part not in ("", "."))
    if "upload" in parts[:-1] and "data" in parts[:-1]:
        return (_UPLOAD.sub("", parts[-1], count=1),)
    return parts


def as_stored(name: str) -> str:
    """How Label Studio names an upload: blanks become underscores, and what is no letter, digit, - or . is left out."""
    return re.sub(r"(?u)[^-\w.]", "", name.strip().replace(" ", "_"))


def suffix_of(name: str) -> str:
    """.jpg, in small letters; "" where there is none."""
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def looks_like_media(text: str) -> bool:
    parts = parts_of(text)
    return bool(parts) and suffix_of(parts[-1]) in PICTURES | VIDEOS


def safe_name(text: str, otherwise: str = "_") -> str:
    """One name of a file or directory: no path, no control sign, nothing that any system reserves, at most 120 bytes.

    A file keeps its ending.
    """
    name = _UNSAFE.sub("_", text).strip().rstrip(". ").lstrip()
    if name.startswith("."):
        name = f"_{name[1:]}"
    name = _RESERVED.sub(lambda found: f"{found[0]}_", name, count=1) or otherwise
    if len(name.encode()) > _MOST_BYTES:
        end = suffix_of(name)[:10]
        name = name.encode()[: _MOST_BYTES - len(end.encode())].decode(errors="ignore").rstrip(". ") + end
    return name


class UniqueNames:
    """Names of one archive, each given once, also where capitals do not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, directory: str, name: str) -> str:
        """The path, with a number before the ending where it is taken."""
        stem, end = name.removesuffix(suffix_of(name)), name[len(name) - len(suffix_of(name)) :]
        path, count = f"{directory}{name}", 1
        while path.casefold() in self._taken:
            count += 1
            path = f"{directory}{stem}-{count}{end}"
        self._taken.add(path.casefold())
        return path
