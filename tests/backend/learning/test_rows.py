"""Rows: the frames of all questions, once, and where each question's rows stand among them."""

from __future__ import annotations

import numpy as np

from espalier.learning.questions import Question
from espalier.learning.rows import Rows, union


def question(*places: tuple[str, int]) -> Question:
    n = len(places)
    media, frames = [name for name, _ in places], [frame for _, frame in places]
    ones = np.ones((n, 1), np.float32)
    return Question(
        "c",
        (),
        (("a",),),
        False,
        np.array(media, np.str_),
        np.array(frames, np.int64),
        ones,
        ones > 0,
        np.zeros(n, np.int64),
        ones[:, 0],
    )


def test_every_frame_stands_once_in_the_order_in_which_it_came() -> None:
    located, places = union([question(("b", 3), ("b", 4), ("a", 0)), question(("a", 0), ("c", 1), ("b", 3))])
    assert list(zip(located.media.tolist(), located.frames.tolist(), strict=True)) == [
        ("b", 3),
        ("b", 4),
        ("a", 0),
        ("c", 1),
    ]
    assert [place.tolist() for place in places] == [[0, 1, 2], [2, 3, 0]]


def test_parts_are_asked_for_by_name() -> None:
    zeros = np.zeros(3, np.int64)
    rows = Rows(np.array(["a", "b", "c"]), zeros, zeros, zeros, np.array([0, 2, 0], np.int8))
    assert rows.part("train").tolist() == [True, False, True]
    assert rows.part("test").tolist() == [False, True, False]
    assert not len(Rows.none())
