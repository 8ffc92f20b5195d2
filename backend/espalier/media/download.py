"""Bringing one file here whole: in pieces, on again after a break or a kill, and never half."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

import requests
from urllib3.exceptions import HTTPError

from ..errors import BadMedia
from .partial import Partial, Promise
from .web import Trouble

_BLOCK = 1 << 18
_ATTEMPTS = 4
_PAUSE_S = 0.5
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")

Get = Callable[[Mapping[str, str]], requests.Response]


def download(get: Get, partial: Partial, *, max_bytes: int, ranged: bool) -> Promise:
    """Fill `partial` with the whole file; gives what the server said of it.

    get: asks for the file with further headers; raises Trouble for what may be tried again. ranged: ask for a range
    from the start, for servers that answer whole files slowly or not at all. Goes on where an earlier download stopped
    if the server still has the same content, and starts anew where it has not. Raises BadMedia, after which the bytes
    so far stay for the next try.
    """
    failed, furthest = 0, 0
    promise = partial.promise()
    if promise is None or not promise.mark:
        partial.discard()
    while True:
        try:
            promise = partial.promise()
            if promise is None or promise.bytes is None or partial.size < promise.bytes:
                promise = _request(get, partial, promise, max_bytes, ranged)
            if promise.bytes is None or partial.size == promise.bytes:
                return promise
            if partial.size > promise.bytes:
                raise _Useless("the server sent more than it promised")
        except _Useless as error:
            partial.discard()
            ranged = False
            failed, reason = failed + 1, str(error)
        except Trouble as error:
            failed = 1 if partial.size > furthest else failed + 1
            reason = str(error)
        else:
            failed = 0 if partial.size > furthest else failed + 1
            reason = "the server answered with nothing more"
        furthest = max(furthest, partial.size)
        if failed >= _ATTEMPTS:
            raise BadMedia(f"{reason}; tried {failed} times")
        time.sleep(_PAUSE_S * failed)


class _Useless(Exception):
    """What came so far, or what was answered, is not a part of one and the same file."""


def _request(get: Get, partial: Partial, promise: Promise | None, max_bytes: int, ranged: bool) -> Promise:
    """One request, its body appended to what came so far under `promise`; gives the promise that now holds."""
    if promise is None or promise.bytes is None:
        promise = None  # nothing tells how much is missing: from the start
    have = partial.size if promise else 0
    headers = {"Accept-Encoding": "identity"}  # the bytes of the file, so that their number means something
    if have or ranged:
        headers["Range"] = f"bytes={have}-"
    if have and promise and promise.mark:
        headers["If-Range"] = promise.mark
    with get(headers) as response:
        if response.status_code == 206:
            told = _promise_of_range(response, have)
            if have and promise and not _same(promise, told):
                raise _Useless("the file changed meanwhile")
        elif response.status_code == 200:
            told, have = _promise_of_all(response), 0
        else:
            raise _Useless(f"the server answered {response.status_code}")
        if (told.bytes or 0) > max_bytes:
            raise BadMedia(_too_large(told.bytes, max_bytes))
        if not have:
            partial.start(told)
        _append(response, partial, have, max_bytes)
        return told


def _append(response: requests.Response, partial: Partial, have: int, max_bytes: int) -> None:
    with partial.append() as file:
        try:
            for block in response.raw.stream(_BLOCK, decode_content=True):
                have += len(block)
                if have > max_bytes:
                    partial.discard()
                    raise BadMedia(_too_large(None, max_bytes))
                file.write(block)
        except HTTPError as error:
            raise Trouble(f"the connection broke after {have} bytes") from error


def _promise_of_all(response: requests.Response) -> Promise:
    length = response.headers.get("Content-Length", "")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return Promise()  # neither length nor tag speak of the bytes that are kept
    return Promise(int(length) if length.isdigit() else None, *_marks(response))


def _promise_of_range(response: requests.Response, have: int) -> Promise:
    found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != have or found[3] == "*":
        raise _Useless("the server answered another range than it was asked for")
    return Promise(int(found[3]), *_marks(response))


def _marks(response: requests.Response) -> tuple[str, str]:
    return response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")


def _same(earlier: Promise, now: Promise) -> bool:
    return earlier.bytes == now.bytes and (not earlier.etag or not now.etag or earlier.etag == now.etag)


def _too_large(size: int | None, max_bytes: int) -> str:
    told = f"is {size / 1e6:.0f} MB" if size else "goes on"
    return f"the file {told} past the {max_bytes / 1e6:.0f} MB allowed: make it smaller, or raise ESPALIER_MAX_FILE_MB"
