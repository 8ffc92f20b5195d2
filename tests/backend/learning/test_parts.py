"""Parts: no group in two of them, every option in its share, few given away, and a person's choice is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.learning.parts import PARTS, TEST, TRAIN, VALIDATION, Division, divide


def dealt(
    groups: NDArray[np.int64], labels: NDArray[np.int64], *, validation: float = 0.15, test: float = 0.15, seed: int = 0
) -> Division:
    names = [f"media {group}" for group in groups]
    chosen = np.full(len(groups), -1, np.int8)
    holds = np.eye(int(labels.max()) + 1, dtype=np.bool_)[labels]
    return divide(names, groups, holds, chosen, validation=validation, test=test, seed=seed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 120), st.integers(1, 5), st.integers(1, 40))
def test_no_group_is_in_two_parts_and_equal_input_gives_equal_parts(
    seed: int, n: int, options: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    groups, labels = rng.integers(0, count, n), rng.integers(0, options, n)
    division = dealt(groups, labels, seed=seed)
    for group in np.unique(groups):
        assert len(np.unique(division.parts[groups == group])) == 1
    assert np.array_equal(division.parts, dealt(groups, labels, seed=seed).parts)
    assert (division.parts == TRAIN).any()
    assert division.note == ""


def test_every_option_gives_its_share() -> None:
    labels = np.repeat([0, 1, 2], [400, 100, 20])
    parts = dealt(np.arange(520), labels).parts
    counted = {
        (label, PARTS[part]): int(((labels == label) & (parts == part)).sum())
        for label in range(3)
        for part in range(3)
    }
    assert counted == {
        (0, "train"): 280,
        (0, "validation"): 60,
        (0, "test"): 60,
        (1, "train"): 70,
        (1, "validation"): 15,
        (1, "test"): 15,
        (2, "train"): 14,
        (2, "validation"): 3,
        (2, "test"): 3,
    }


@pytest.mark.parametrize(("images", "away"), [(1, 0), (6, 0), (7, 2), (13, 2), (14, 4)])
def test_an_option_with_few_images_gives_none_away(images: int, away: int) -> None:
    parts = dealt(np.arange(images), np.zeros(images, np.int64)).parts
    assert int((parts != TRAIN).sum()) == away


def test_media_seldom_change_their_part_when_others_are_added() -> None:
    labels = np.arange(1000) % 4
    before = dealt(np.arange(900), labels[:900]).parts
    after = dealt(np.arange(1000), labels).parts[:900]
    assert (before != after).mean() < 0.05
    assert (before == after)[before == TEST].mean() > 0.85


def test_another_seed_deals_anew() -> None:
    labels = np.zeros(200, np.int64)
    assert not np.array_equal(dealt(np.arange(200), labels).parts, dealt(np.arange(200), labels, seed=1).parts)


def test_what_a_person_chose_is_kept_and_its_near_duplicates_follow() -> None:
    groups = np.array([0, 0, 1, 2, 3])  # the first two are near-duplicates
    chosen = np.array([VALIDATION, -1, TEST, -1, -1], np.int8)
    holds = np.ones((5, 1), np.bool_)
    division = divide(list("abcde"), groups, holds, chosen, validation=0.0, test=0.0, seed=0)
    assert division.parts.tolist() == [VALIDATION, VALIDATION, TEST, TRAIN, TRAIN]
    assert division.note == ""


def test_near_duplicates_that_a_person_put_apart_stay_apart_and_it_is_said() -> None:
    chosen = np.array([TRAIN, VALIDATION, TRAIN], np.int8)
    division = divide(list("abc"), np.array([0, 0, 1]), np.ones((3, 1), np.bool_), chosen, validation=0, test=0, seed=0)
    assert division.parts.tolist() == [TRAIN, VALIDATION, TRAIN]
    assert division.note.startswith("2 of 3 frames have near-duplicates on the other side")
