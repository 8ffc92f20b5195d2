"""Requests that a browser sends for somebody else: from another site's page, or by a name made to point here.

Pages and the REST API refuse them. A cookie or a remembered password comes with such a request as with any other, and a
server that asks for no password because only this machine reaches it is reached by this machine's browser, too.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import request

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def comes_from_elsewhere() -> bool:
    """Whether a request that changes something comes from another site, as browsers say it; programs say nothing."""
    if request.method not in _UNSAFE:
        return False
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin", "")
    return bool(origin) and urlsplit(origin).netloc != request.host


def is_renamed() -> bool:
    """Whether the request names this machine in a way that somebody else decides (DNS rebinding).

    An address is nobody's to change, and `localhost` is this machine; only what is open to all needs this.
    """
    name = urlsplit(f"//{request.host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return True
    return False
