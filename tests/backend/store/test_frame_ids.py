"""Frame ids: media and frame in one number, and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from espalier.store.frame_ids import FRAME_BITS, MOST_FRAMES, frame_of, ids_of, media_of


@given(st.integers(1, 2**38), st.lists(st.integers(0, MOST_FRAMES - 1), max_size=20))
def test_ids_give_back_what_they_were_made_of(number: int, frames: list[int]) -> None:
    ids = ids_of(number, np.array(frames, np.int64))
    assert ids.dtype == np.int64
    assert (ids >= 0).all()
    assert media_of(ids).tolist() == [number] * len(frames)
    assert frame_of(ids).tolist() == frames


def test_the_frames_of_a_media_lie_between_those_of_its_neighbours() -> None:
    ends = np.array([0, MOST_FRAMES - 1])
    first, second = ids_of(7, ends), ids_of(8, ends)
    assert first[1] < second[0]
    assert first[0] == 7 << FRAME_BITS
