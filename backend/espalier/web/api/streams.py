"""Server-sent events: what is new of something, pushed to whoever watches it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Response

from .problem import Refused

STREAMS = 8
"""Open at a time: each holds a thread of the server."""
_LOOK_S = 0.25
_HEARTBEAT_S = 10.0
"""Proxies close what is silent for half a minute; and only who writes hears that nobody reads any more."""
_LONGEST_S = 300.0
"""Then the watcher connects anew, as EventSource does by itself."""

Json = dict[str, Any]


class Streams:
    def __init__(self, *, heartbeat_s: float = _HEARTBEAT_S, longest_s: float = _LONGEST_S) -> None:
        self._free = threading.BoundedSemaphore(STREAMS)
        self._closing = threading.Event()
        self._heartbeat_s, self._longest_s = heartbeat_s, longest_s

    def of(self, look: Callable[[], Json], *, is_over: Callable[[Json], bool]) -> Response:
        """`progress` with what `look` gives whenever it is another than before; `end` with the last one.

        Raises Refused where too many are open already.
        """
        if not self._free.acquire(blocking=False):
            raise Refused(
                429,
                f"{STREAMS} streams are open, which is all that there may be: ask for the job itself now and then",
                headers={"Retry-After": "5"},
            )
        response = Response(self._events(look, is_over), mimetype="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        response.call_on_close(self._free.release)
        return response

    def close(self) -> None:
        """The server is being stopped: streams end, their watchers come back."""
        self._closing.set()

    def _events(self, look: Callable[[], Json], is_over: Callable[[Json], bool]) -> Iterator[bytes]:
        yield b"retry: 1000\n\n"
        began = said_at = time.monotonic()
        told: Json | None = None
        while time.monotonic() - began < self._longest_s and not self._closing.is_set():
            now = look()
            if is_over(now):
                yield _event("end", now)
                return
            if now != told:
                yield _event("progress", now)
                told, said_at = now, time.monotonic()
            elif time.monotonic() - said_at >= self._heartbeat_s:
                yield b": still here\n\n"
                said_at = time.monotonic()
            self._closing.wait(_LOOK_S)


def _event(name: str, value: Json) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(value))
