"""A small web server that misbehaves on demand, small videos whose frames tell their number, and a way to fetch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from espalier.media.cache import MediaCache
from espalier.media.fetch import Fetcher
from espalier.settings import Settings

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Site:
    """What the server has under each path, and what it was asked for.

    pages: a function of (request headers) that gives status, headers and body; files are served by `serve_file`.
    """

    port: int
    pages: dict[str, Callable[[Mapping[str, str]], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    break_after: int | None = None
    """Close the connection after so many bytes of the next body; then forget it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def file(self, path: str, body: bytes, **how: Any) -> None:
        self.pages[path] = lambda headers: _ranged(body, headers, **how)


def _ranged(
    body: bytes, headers: Mapping[str, str], *, etag: str = '"one"', ranges: bool = True, most: int | None = None,
    kind: str = "application/octet-stream",
) -> Answer:  # fmt: skip
    """As a good server answers: 206 for ranges (`most` bytes each), 304 for what is known, the whole otherwise."""
    told = {"Content-Type": kind, **({"ETag": etag} if etag else {})}
    if etag and headers.get("If-None-Match") == etag:
        return 304, told, b""
    wanted = headers.get("Range")
    if wanted and ranges and headers.get("If-Range", etag) == etag:
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        if start >= len(body):
            return 416, {"Content-Range": f"bytes */{len(body)}"}, b""
        stop = min(len(body), start + (most or len(body)))
        return 206, {**told, "Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}, body[start:stop]
    return 200, told, body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: Site

    def do_GET(self) -> None:
        told = self.told
        told.asked.append((self.path, dict(self.headers)))
        page = told.pages.get(self.path) or told.pages.get(self.path.split("?")[0])
        status, headers, body = page(dict(self.headers)) if page else (404, {}, b"not here")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if told.break_after is not None and len(body) > told.break_after:
            body, told.break_after = body[: told.break_after], None
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


def _running() -> Iterator[Site]:
    handler: Any = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    handler.told = told = Site(server.server_address[1])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    yield from _running()


@pytest.fixture
def other_site() -> Iterator[Site]:
    yield from _running()


@pytest.fixture
def cache(tmp_path: Path) -> MediaCache:
    return MediaCache(tmp_path / "cache", max_bytes=100_000_000, max_file_bytes=20_000_000)


@pytest.fixture
def fetcher_for(cache: MediaCache) -> Callable[..., Fetcher]:
    """A fetcher whose Label Studio lives at the given address, with a token to show there."""

    def make(label_studio_url: str = "", **settings: Any) -> Fetcher:
        return Fetcher(
            cache,
            settings=Settings(**settings),
            label_studio_url=label_studio_url,
            authorize=lambda url: {"Authorization": "Bearer secret"},
            timeouts_s=(2.0, 2.0),
        )

    return make


def _number_picture(number: int, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Eight vertical bars, black for 0 and white for 1: the number in binary, so that any codec keeps it."""
    bits = [(number >> bit) & 1 for bit in range(8)]
    bars = np.array_split(np.arange(width), 8)
    columns = np.concatenate([np.full(len(bar), bit * 255, np.uint8) for bit, bar in zip(bits, bars, strict=True)])
    return np.ascontiguousarray(np.broadcast_to(columns[None, :, None], (height, width, 3)))


def _number_in(picture: NDArray[np.uint8]) -> int:
    """The number that a picture made by `_number_picture` shows, at any size."""
    bars = np.array_split(picture.mean(axis=(0, 2)), 8)
    return sum(1 << bit for bit, bar in enumerate(bars) if bar[len(bar) // 4 : -(len(bar) // 4) or None].mean() > 127)


def _write_video(
    path: Path, frames: int = 60, *, codec: str = "libx264", rate: int = 25, gop: int = 12, b_frames: int = 2,
    size: tuple[int, int] = (48, 64), times: list[int] | None = None, rotation: int = 0, first: int = 0,
    pix_fmt: str = "yuv420p",
) -> Path:  # fmt: skip
    """A video whose frame k shows k (modulo 256). times: ticks of 1 / rate s, one per frame. first: the first tick."""
    height, width = size
    with av.open(str(path), "w") as container:
        options = {"bf": str(b_frames)} if codec != "libvpx-vp9" else {"deadline": "realtime", "cpu-used": "8"}
        if codec == "libx264":
            options |= {"preset": "ultrafast", "crf": "10", "x264-params": f"bframes={b_frames}:scenecut=0"}
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, pix_fmt, gop
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(_number_picture(number % 256, height, width), format="rgb24")
            frame.pts = first + (times[number] if times else number)
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def number_in() -> Callable[[NDArray[np.uint8]], int]:
    return _number_in


@pytest.fixture(scope="session")
def write_video() -> Callable[..., Path]:
    return _write_video
