"""When each frame of a video is presented, told by its packets alone: no picture but the first is decoded.

The header's frame count is not believed: it is 0 in Matroska and counts frames that an edit list hides in MP4.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

from ..errors import BadMedia
from . import sniff

# Containers of their own bytes only: playlists and the like would have files and addresses of their choice opened.
CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,ogg,gif,asf,ivf,mxf,nut,h264,hevc,m4v,mpegvideo,obu"
# These keep no presentation times; libav makes them up, wrongly where frames are out of order.
_NO_TIMES = ("avi", "h264", "hevc", "m4v", "mpegvideo", "obu")


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """One entry per frame, in the order of presentation.

    times_s: float64 (n,), ascending, in seconds on the container's clock: an offset at the start stays in.
    ticks: int64 (n,), the same in units of the stream's own clock, by which decoded frames are recognised.
    keyframes: int64 (k,), the frame numbers at which decoding may start; seek_ticks: int64 (k,), where to seek to.
    duration_s: what a browser reports. width, height: in pixels, upright. rotation: quarter turns, counter-clockwise,
    that put a decoded frame upright. promised: how many frames the header claims, 0 where it claims nothing.
    packets: how many there are, with those that are never shown. counted: the container keeps no presentation times,
    so that frames are told by counting from the start.
    """

    times_s: NDArray[np.float64]
    duration_s: float
    frame_rate: float | None
    width: int
    height: int
    keyframes: NDArray[np.int64]
    start_s: float
    ticks: NDArray[np.int64]
    seek_ticks: NDArray[np.int64]
    rotation: int = 0
    codec: str = ""
    promised: int = 0
    packets: int = 0
    counted: bool = False

    def __len__(self) -> int:
        return len(self.times_s)

    def keyframe_before(self, frame: int) -> int:
        """The position in `keyframes` from which this frame can be decoded."""
        return max(0, int(np.searchsorted(self.keyframes, frame, side="right")) - 1)

    def to_bytes(self) -> bytes:
        """As a compressed npz, for `from_bytes`."""
        buffer = io.BytesIO()
        values: dict[str, Any] = {
            entry.name: np.array(np.nan if (value := getattr(self, entry.name)) is None else value)
            for entry in fields(self)
        }
        np.savez_compressed(buffer, **values)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> VideoIndex:
        """Raises ValueError where the bytes are not those of `to_bytes`, as after a change of this class."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as saved:
                values = {name: saved[name] if saved[name].ndim else saved[name].item() for name in saved.files}
            rate = values.pop("frame_rate")
            return cls(frame_rate=None if np.isnan(rate) else rate, **values)
        except (OSError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"not a video index: {error}") from error


def open_video(path: Path) -> tuple[Any, Any]:
    """The container and its video stream, decoding threads not yet set. Raises BadMedia where there is none."""
    first = sniff.head(path)
    found = sniff.describe(first)
    if found and found.endswith("picture") and found != "a GIF picture":  # libav would play it as a video of one frame
        raise BadMedia(f"{path.name} {sniff.complaint(first, 'a video')}")
    options = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
    try:
        container = av.open(f"file:{path}", options=options)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise BadMedia(f"{path.name} {sniff.complaint(first, 'a video')}") from error
    # A picture that a sound file carries as its cover is no video.
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        kinds = " and ".join(sorted({stream.type for stream in container.streams}))
        container.close()
        raise BadMedia(
            f"{path.name} holds no video ({kinds + ' only' if kinds else 'it is empty'}): upload a file with pictures"
        )
    return container, streams[0]


def index_video(path: Path) -> VideoIndex:
    """Reads every packet and decodes one frame. Raises BadMedia where there is no video, or no frame of it decodes."""
    container, stream = open_video(path)
    with container:
        first = _first_frame(container, stream)
    if first is None:
        raise BadMedia(f"{path.name}: not one frame of its video can be decoded; the file is damaged: upload it again")
    container, stream = open_video(path)
    with container:
        packets = _read_packets(container, stream)
        counted = packets.lacks_times or (container.format.name in _NO_TIMES and not all(packets.keys))
        ticks, keyframes, seek_ticks = _counted(packets) if counted else _presented(packets)
        tick_s = float(stream.time_base)
        times_s = ticks.astype(np.float64) * tick_s
        step_s = float((times_s[-1] - times_s[0]) / (len(ticks) - 1)) if len(ticks) > 1 else 0.0
        rate = float(stream.average_rate or 0) or (1 / step_s if step_s else 0.0)
        duration_s = (container.duration or 0) / av.time_base or float(times_s[-1]) + step_s
        if {"matroska", "mov"} & set(container.format.name.split(",")):  # these are sought in by presentation time
            seek_ticks = ticks[keyframes]
        turns = round(first.rotation / 90) % 4
        height, width = (first.height, first.width)[:: -1 if turns % 2 else 1]
        return VideoIndex(
            times_s, duration_s, rate or None, width, height, keyframes, float(times_s[0]), ticks, seek_ticks,
            rotation=turns, codec=stream.codec_context.codec.canonical_name, promised=stream.frames,
            packets=packets.total, counted=counted,
        )  # fmt: skip


@dataclass
class _Packets:
    """Of every packet that is shown: ticks and keys. Of every keyframe, shown or not: the ticks to seek to."""

    ticks: list[int] = field(default_factory=list)
    keys: list[bool] = field(default_factory=list)
    key_ticks: list[int] = field(default_factory=list)
    decode_ticks: list[int | None] = field(default_factory=list)
    total: int = 0
    lacks_times: bool = False


def _read_packets(container: Any, stream: Any) -> _Packets:
    packets = _Packets()
    is_vp8 = stream.codec_context.name == "vp8"
    try:
        for packet in container.demux(stream):
            if not packet.size:
                continue
            packets.total += 1
            tick = packet.pts if packet.pts is not None else packet.dts
            if tick is None:
                packets.lacks_times = True
                tick = packets.total
            if packet.is_keyframe:
                packets.key_ticks.append(tick)
            # Hidden are what an edit list cuts off, and the frames that VP8 keeps for reference alone.
            if not (packet.is_discard or (is_vp8 and not memoryview(packet)[0] & 0x10)):
                packets.ticks.append(tick)
                packets.keys.append(packet.is_keyframe)
                packets.decode_ticks.append(packet.dts)
    except av.error.FFmpegError:  # the file ends in the middle: what was read stands
        pass
    if not packets.ticks:
        raise BadMedia(f"{Path(container.name).name}: its video has no frame that is shown")
    return packets


_Numbers = NDArray[np.int64]


def _presented(packets: _Packets) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Ticks, keyframes and seek ticks by presentation time."""
    ticks: _Numbers = np.sort(np.array(packets.ticks, np.int64))
    if not packets.key_ticks:
        return ticks, np.zeros(1, np.int64), ticks[:1]
    key_ticks: _Numbers = np.sort(np.array(packets.key_ticks, np.int64))
    shown = ticks[ticks >= key_ticks[0]]  # nothing decodes before the first keyframe
    ticks = shown if len(shown) else ticks
    keyframes = np.searchsorted(ticks, key_ticks).astype(np.int64)
    last_of_each = np.append(np.diff(keyframes) > 0, True) & (keyframes < len(ticks))
    if not last_of_each.any():
        return ticks, np.zeros(1, np.int64), key_ticks[:1]
    return ticks, keyframes[last_of_each], key_ticks[last_of_each]


def _counted(packets: _Packets) -> tuple[_Numbers, _Numbers, _Numbers]:
    """The same where there are no presentation times: by decoding time, or one tick each where there is none either."""
    ticks: _Numbers = np.arange(len(packets.ticks), dtype=np.int64)
    if None not in packets.decode_ticks:
        ticks = np.sort(np.array(packets.decode_ticks, np.int64))
    return ticks, np.zeros(1, np.int64), ticks[:1]


def _first_frame(container: Any, stream: Any) -> Any:
    for tried, packet in enumerate(container.demux(stream)):
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            frames = []
        if frames:
            return frames[0]
        if tried > 500:  # more than any decoder holds back
            break
    return None
