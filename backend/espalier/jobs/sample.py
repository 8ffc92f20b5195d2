"""A few of a project's own frames, on which an encoder checks an approximation of itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from espalier_ontology.frames import Frames

from ..contract import Pictures
from ..errors import BadMedia
from ..media.media import Media

COUNT = 64


def sample(media: Sequence[Media], size: tuple[int, int], count: int = COUNT) -> Pictures:
    """Up to `count` frames, spread over the media and within each; uint8 (n, height, width, 3). Unreadable are left."""
    chosen = [media[index] for index in np.unique(np.linspace(0, len(media) - 1, count).astype(int))] if media else []
    each = -(-count // max(1, len(chosen)))
    found: list[Pictures] = []
    for one in chosen:
        wanted = Frames.at(np.unique(np.linspace(0, one.length - 1, each).astype(int)).tolist())
        try:
            found += [pictures for _, pictures in one.pictures(wanted, size)]
        except BadMedia:
            continue
    return np.concatenate(found)[:count] if found else np.zeros((0, *size, 3), np.uint8)
