"""Videos to measure with: made here, so that a figure can be had again anywhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np

from espalier.media.cache import LocalFile
from espalier.media.media import Media
from espalier.media.video import index_video
from espalier_ontology.tree import MediaTag


def make_clip(path: Path, size: tuple[int, int], frames: int, *, rate: int = 30) -> Path:
    """H.264 of a textured surface that moves: (height, width), `frames` frames. Kept where it is already there."""
    if path.exists():
        return path
    height, width = size
    rng = np.random.default_rng(0)
    # Coarse and fine structure, larger than the picture: the camera pans over it.
    ground = np.zeros((height + 256, width + 256, 3), np.float32)
    for cell in (128, 32, 8):
        shape = (-(-ground.shape[0] // cell), -(-ground.shape[1] // cell), 3)
        patches = rng.normal(size=shape).repeat(cell, 0).repeat(cell, 1)[: ground.shape[0], : ground.shape[1]]
        ground += patches * (12 * np.log2(cell) / 3)
    ground8 = np.clip(ground + 128, 0, 255).astype(np.uint8)
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(unfinished), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            x, y = int(128 + 120 * np.sin(number / 37)), int(128 + 120 * np.cos(number / 53))
            picture = ground8[y : y + height, x : x + width]
            if number % 90 > 60:
                picture = picture[::-1]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    unfinished.rename(path)
    return path


def open_clip(path: Path) -> Media:
    """As the backend opens a task's video, without a Label Studio."""
    index = index_video(path)
    digest = hashlib.sha256(path.name.encode()).hexdigest()  # of the content, elsewhere; here a name is enough
    tag = MediaTag(name="video", kind="video", field="video")
    return Media(tag, (digest,), len(index), (LocalFile(path, digest, str(path)),), index=index)
