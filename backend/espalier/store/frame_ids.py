"""Frame ids: one whole number per embedded frame of a project, those of one media beside each other.

id = media number << 24 | frame. An image, and an item of a sequence, is a media of its own, with frame 0.
"""

from __future__ import annotations

import numpy as np

from ..contract import Ids

FRAME_BITS = 24
MOST_FRAMES = 1 << FRAME_BITS
"""Of one media: six days of video at 30 frames a second."""


def ids_of(number: int, frames: Ids) -> Ids:
    """The ids of frames int64 (n,), 0 and up, of the media of this number."""
    return (np.int64(number) << FRAME_BITS) | np.asarray(frames, np.int64)


def media_of(ids: Ids) -> Ids:
    """Of each id, the number of its media."""
    return np.asarray(ids, np.int64) >> FRAME_BITS


def frame_of(ids: Ids) -> Ids:
    """Of each id, the frame within its media, from 0."""
    return np.asarray(ids, np.int64) & (MOST_FRAMES - 1)
