"""What Label Studio's pages load from us: a script, and the sheet of our own page there."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

_HERE = Path(__file__).parent
_SCRIPT = "/espalier/inject.js"


@cache
def _read(name: str) -> tuple[bytes, str]:
    text = (_HERE / name).read_bytes()
    return text, hashlib.sha256(text).hexdigest()[:12]


@cache
def tag() -> bytes:
    """What a page is given: an address that changes with the script, so that it is kept for ever. Nothing where this
    app's addresses could not be added to Label Studio's."""
    if not is_valid_path(_SCRIPT):
        return b""
    return f'<script src="{_SCRIPT}?{_read("inject.js")[1]}" defer></script>'.encode()


def script(request: HttpRequest) -> HttpResponse:
    return _answer(request, "inject.js", "text/javascript")


def sheet(request: HttpRequest) -> HttpResponse:
    return _answer(request, "connect.css", "text/css")


def _answer(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    text, digest = _read(name)
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    is_newest = request.META.get("QUERY_STRING") == digest
    response["Cache-Control"] = "public, max-age=31536000, immutable" if is_newest else "no-cache"
    return response
