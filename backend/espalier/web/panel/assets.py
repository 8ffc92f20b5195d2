"""What the pages load: sheets, modules and pictures, under addresses that change with their content.

So a browser keeps them for ever and never shows an old one. Plotly's script comes from its Python package.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from flask import Response, abort, request

STATIC = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
_IMPORT = re.compile(r"^(?:import|export)\b[^;]*? from \"\./([\w-]+\.js)\";", re.MULTILINE)
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@cache
def digest() -> str:
    """Of everything in the static directory, so that modules which import each other are of one state."""
    found = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


@cache
def modules(*names: str) -> tuple[str, ...]:
    """These modules, and all that they import at once, so that a page can name them: a browser that finds them one in
    the other asks for them one after the other. A name of which there is no file is left out."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name not in found and (STATIC / name).is_file():
            found[name] = None
            waiting += _IMPORT.findall((STATIC / name).read_text())
    return tuple(found)


@cache
def plotly_version() -> str:
    """The size and time of its script stand for its content, which is 5 MB. Empty where it is not installed."""
    path = _plotly()
    return f"{path.stat().st_size:x}-{int(path.stat().st_mtime):x}" if path else ""


def static(state: str, name: str) -> Response:
    """A file of the static directory; one level deep, so that a name is never a path."""
    path = STATIC / name
    if "/" in name or not path.is_file():
        abort(404, f"there is no file {name} among what the pages load")
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = _as_accepted(_packed(path, path.stat().st_mtime_ns), f"{kind}; charset=utf-8")
    # Under an address of another state the content may change: it is not to be kept.
    response.headers["Cache-Control"] = _FOR_EVER if state == digest() else "no-cache"
    return response


def plotly(state: str) -> Response:
    packed = _packed_plotly()
    if packed is None:
        abort(404, "figures need the package plotly, which is not installed: pip install plotly")
    response = _as_accepted(packed, "text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = _FOR_EVER
    return response


def _as_accepted(packed: bytes, kind: str) -> Response:
    """Packed where the browser takes it so."""
    takes = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(packed if takes else gzip.decompress(packed), content_type=kind)
    response.headers["Vary"] = "Accept-Encoding"
    if takes:
        response.headers["Content-Encoding"] = "gzip"
    return response


@lru_cache(maxsize=256)
def _packed(path: Path, changed_ns: int) -> bytes:
    """changed_ns: when it was written, so that a file that changed is packed anew."""
    return gzip.compress(path.read_bytes(), 9)


def _plotly() -> Path | None:
    """Found without importing it, which takes a second."""
    spec = find_spec("plotly")
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js" if spec and spec.origin else None
    return path if path and path.exists() else None


@cache
def _packed_plotly() -> bytes | None:
    path = _plotly()
    return gzip.compress(path.read_bytes(), 6) if path else None
