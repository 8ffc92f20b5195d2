"""What a browser may do with a page: only what this server sends, and in no frame but one that was allowed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)


def apply(response: Response, *, embed: bool, origins: Sequence[str]) -> Response:
    """embed: the page was asked for as part of another. origins: who may do that, beside this server itself."""
    ancestors = " ".join(["'self'", *origins]) if embed else "'none'"
    response.headers["Content-Security-Policy"] = _POLICY.format(ancestors=ancestors)
    if not embed:
        response.headers["X-Frame-Options"] = "DENY"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response
