"""Pages and API of Espalier below Label Studio's own address: handed on with a ticket for the user who asks."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt

from . import connection
from .backend import NO_PROJECT, Asker, Refused, send, whole_of
from .roles import role_of

_HANDED_ON = re.compile(r"(panel|api/v1)/")
_OF_PROJECT = re.compile(r"api/v1/projects/(\d+)(/|$)")
_SENT = ("Accept", "Content-Type", "If-None-Match", "Range")
_RETURNED = frozenset({
    "cache-control", "content-disposition", "content-encoding", "content-length", "content-security-policy",
    "content-type", "etag", "link", "location", "referrer-policy", "retry-after", "vary", "x-content-type-options",
    "x-frame-options", "x-total-count",
})  # fmt: skip
MOST_BODY_BYTES = 32_000_000
_EVENTS_S = 25.0
"""A stream of events holds one of Label Studio's threads: it ends after this, and the browser asks again."""
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


# Not by Django's token, which Espalier's pages do not know, but by what browsers say of where a request comes from.
@csrf_exempt
@xframe_options_exempt
def hand_on(request: HttpRequest, path: str) -> HttpResponseBase:
    """Everything below /espalier/ but this app's own addresses."""
    if not request.user.is_authenticated:
        return _refusal(path, 401, "sign in to Label Studio first")
    if not _HANDED_ON.match(path) or ".." in path:
        return _refusal(path, 404, "nothing of Espalier is here")
    if request.method in _UNSAFE and _comes_from_elsewhere(request):
        return _refusal(path, 403, "another site sent this request")
    try:
        asker = _asker(request, path)
        if asker is None:
            return _refusal(path, 403, "in Label Studio this project, or its predictions, are none of yours")
        return _answered(request, path, asker)
    except Refused as refused:
        return _refusal(path, refused.status, str(refused))
    except (OSError, HTTPException) as error:
        return _refusal(path, 502, f"Espalier's answer broke off ({type(error).__name__}): try again")


def _asker(request: HttpRequest, path: str) -> Asker | None:
    """In the role that they have in the project which the request is about; None where they have none there."""
    from projects.models import Project

    named = _OF_PROJECT.match(path)
    id = named[1] if named else request.headers.get("X-Espalier-Project") or request.GET.get("project", "")
    email = str(getattr(request.user, "email", ""))
    if not id:
        return Asker(email, "viewer", NO_PROJECT)
    project = Project.objects.filter(pk=int(id)).first() if id.isdecimal() and len(id) < 10 else None
    role = role_of(request.user, project) if project is not None else None
    return Asker(email, role, int(id)) if role is not None else None


def _answered(request: HttpRequest, path: str, asker: Asker) -> HttpResponseBase:
    found = connection.load(Path(settings.BASE_DATA_DIR))
    if not found.is_paired:
        raise Refused("Espalier is not connected yet: open the project's settings, and there Espalier", 409)
    if int(request.headers.get("Content-Length") or 0) > MOST_BODY_BYTES:
        return _refusal(path, 413, f"at most {MOST_BODY_BYTES // 1_000_000} MB are handed on to Espalier")
    headers = {name: request.headers[name] for name in _SENT if name in request.headers}
    query = request.META.get("QUERY_STRING", "")
    address = f"/{path}?{query}" if query else f"/{path}"
    answer = send(found, asker, str(request.method), address, body=request.body or None, headers=headers)
    is_stream = (answer.getheader("Content-Type") or "").startswith("text/event-stream")
    response: HttpResponseBase
    if is_stream:
        response = StreamingHttpResponse(_events(answer), status=answer.status)
    else:
        with answer:
            response = HttpResponse(whole_of(answer, found), status=answer.status)
    for name, value in answer.getheaders():
        if name.lower() in _RETURNED and not (is_stream and name.lower() == "content-length"):
            response[name] = value
    return response


def _events(answer: HTTPResponse) -> Iterator[bytes]:
    until = time.monotonic() + _EVENTS_S
    with answer:
        while time.monotonic() < until:
            try:
                line = answer.readline()
            except (OSError, HTTPException):
                return
            if not line:
                return
            yield line


def _comes_from_elsewhere(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin", "")
    return not origin or urlsplit(origin).netloc != request.get_host()


def _refusal(path: str, status: int, sentence: str) -> HttpResponse:
    """In the form that the caller reads: a problem (RFC 9457) for a script, a line for a person."""
    if not path.startswith("api/"):
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    told: dict[str, Any] = {"type": "about:blank", "title": "Espalier", "status": status, "detail": sentence}
    return HttpResponse(json.dumps(told), status=status, content_type="application/problem+json")
