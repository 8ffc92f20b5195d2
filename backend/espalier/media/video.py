"""Frames of videos as pictures: the right ones, straight at the size that is wanted, in constant memory.

A decoded frame is known by its presentation time, looked up in the video's index, never by counting (but for
containers that keep no times). Frames are scaled by swscale while they are still in the decoder's colours, which is
half the work of converting first. A seek is made only where whole groups of pictures lie between two wanted frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av.error
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from espalier_ontology.frames import Frames

from ..errors import BadMedia
from .picture import Picture, Size
from .video_index import VideoIndex, index_video, open_video

__all__ = ["VideoIndex", "index_video", "read_frames"]

Numbers = NDArray[np.int64]

# A seek empties the decoder's pipeline, which costs about as much as decoding this many frames.
_SEEK_COST_FRAMES = 16
# Which frames an error takes with it depends on the threads' order, and some go without an error. Where one is missing,
# a single thread goes over it again, so that a damaged file gives the same frames every time, and the most.
_ONE_THREAD = 1


def read_frames(
    path: Path, index: VideoIndex, frames: Frames, size: Size, *, threads: int = 0, batch: int = 32
) -> Iterator[tuple[Numbers, Picture]]:
    """The pictures of these frames, in order, up to `batch` at a time: int64 (b,) and RGB uint8 (b, height, width, 3).

    `size` is (height, width), squashed to. Frames past the end are left out. threads: 0 means as many as libav wants.
    A damaged file gives what can be decoded; then BadMedia is raised, whose `frames` are those that could not.
    The arrays are the caller's own.
    """
    wanted = np.fromiter(frames & Frames.of((0, len(index))), np.int64)
    numbers: list[int] = []
    pictures = np.empty((min(batch, len(wanted)), *size, 3), np.uint8)
    scaler = _Scaler(size, index.rotation)
    found = np.zeros(len(wanted), bool)
    for position, frame in _decode(path, index, wanted, threads):
        found[position] = True
        pictures[len(numbers)] = scaler.scale(frame)
        numbers.append(int(wanted[position]))
        if len(numbers) == len(pictures):
            yield np.array(numbers, np.int64), pictures
            numbers, pictures = [], np.empty_like(pictures)
    if numbers:
        yield np.array(numbers, np.int64), pictures[: len(numbers)]
    if not found.all():
        lost = Frames.at(wanted[~found].tolist())
        raise BadMedia(
            f"{path.name}: {len(lost)} of {len(wanted)} frames cannot be decoded ({_spell(lost)}, counted from 1): "
            f"the file is damaged or cut short; the other frames are used",
            lost,
        )


class _Scaler:
    """One swscale context for all frames of a video: making one costs more than using it."""

    def __init__(self, size: Size, rotation: int) -> None:
        self.height, self.width = size[::-1] if rotation % 2 else size
        self.rotation = rotation
        self.reformatter = VideoReformatter()

    def scale(self, frame: Any) -> Picture:
        # AREA averages every source pixel; FAST_BILINEAR is quicker and skips most of them.
        scaled = self.reformatter.reformat(
            frame, self.width, self.height, "rgb24", interpolation=Interpolation.AREA, threads=1
        )
        return np.rot90(np.asarray(scaled.to_ndarray(), np.uint8), self.rotation)


def _decode(path: Path, index: VideoIndex, wanted: Numbers, threads: int) -> Iterator[tuple[int, Any]]:
    """Positions in `wanted` with their decoded frames, ascending; those that cannot be decoded are passed over."""
    position, back = 0, 0
    while position < len(wanted):
        aim = index.keyframe_before(int(wanted[position]))
        key = max(0, aim - back)
        landed = False
        for number, frame in _frames_from(path, index, key, threads):
            if not landed and frame is not None and number > wanted[position] and key > 0:
                break  # the seek came down too late, or on a frame that does not decode
            landed = landed or frame is not None
            if threads != _ONE_THREAD and (frame is None or number > wanted[position]):
                threads = _ONE_THREAD
                break
            if frame is None:
                continue
            position += int(np.searchsorted(wanted[position:], number))
            if position < len(wanted) and wanted[position] == number:
                yield position, frame
                position += 1
            if position == len(wanted):
                return
            ahead = index.keyframe_before(int(wanted[position]))
            # A seek that came down early is decoded through: asking for the same keyframe again would end there again.
            if ahead > aim and index.keyframes[ahead] - number > _SEEK_COST_FRAMES:
                back = 0
                break
        else:
            if landed or key == 0:
                if threads == _ONE_THREAD:
                    return
                threads = _ONE_THREAD
        if not landed:
            back = 2 * back + 1


def _frames_from(path: Path, index: VideoIndex, key: int, threads: int) -> Iterator[tuple[int, Any]]:
    """Frame numbers and decoded frames, ascending, from a keyframe (by its position in the index) to the end.

    The frame is None where damage was met: with the number of the last good frame for an error, or the frame's own.
    """
    container, stream = open_video(path)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    with container:
        if key > 0:
            container.seek(int(index.seek_ticks[key]), stream=stream)
        last = -1
        for frame in _decoded(container, stream):
            if frame is None:
                yield last, None
                continue
            number = last + 1 if index.counted else _number(index, frame, last)
            if number is None or number <= last:
                continue
            last = number
            # What libav patched up from a damaged packet is not a picture to learn from.
            yield number, None if frame.is_corrupt else frame


def _number(index: VideoIndex, frame: Any, last: int) -> int | None:
    """A decoded frame's number by its time; None where the index does not know it."""
    tick = frame.pts if frame.pts is not None else frame.dts
    if tick is None:
        return None
    number = int(np.searchsorted(index.ticks, tick))
    if number <= last:  # two frames of the same time
        number = last + 1
    return number if number < len(index) and index.ticks[number] == tick else None


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Every frame that libav makes of the rest of the stream, and None wherever it meets an error."""
    try:
        for packet in container.demux(stream):
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                yield None
    except av.error.FFmpegError:  # the file ends in the middle: what the decoder holds is still good
        yield from _drained(stream)


def _drained(stream: Any) -> Iterator[Any]:
    try:
        yield from stream.decode(None)
    except av.error.FFmpegError:
        yield None


def _spell(frames: Frames) -> str:
    parts = [f"{start + 1}" if stop == start + 1 else f"{start + 1}-{stop}" for start, stop in frames.ranges[:4]]
    return ", ".join(parts) + (", ..." if len(frames.ranges) > 4 else "")
