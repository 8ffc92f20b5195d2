"""Scenes hold every hit once, are no wider than their gaps allow, and stand in the order of their best."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.similarity.scenes import collapse, shots

Hits = dict[tuple[int, int], int]
hits = st.dictionaries(st.tuples(st.integers(1, 3), st.integers(0, 40)), st.integers(0, 5), max_size=40)
"""By media and frame, a score; of so few values that many are equal."""


def arrays(of: Hits) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    media = np.array([media for media, _ in of], np.int64)
    frames = np.array([frame for _, frame in of], np.int64)
    return media << 24 | frames, np.array(list(of.values()), np.float32), media, frames


@given(hits, st.integers(0, 12))
def test_every_hit_is_in_one_scene_and_scenes_are_apart(found: Hits, gap: int) -> None:
    ids, scores, media, frames = arrays(found)
    scenes = collapse(ids, scores, media, frames, gap=gap)
    assert sorted(place for scene in scenes for place in scene.hits.tolist()) == list(range(len(ids)))
    for scene in scenes:
        within = np.sort(frames[scene.hits])
        assert len(set(media[scene.hits].tolist())) == 1
        assert (np.diff(within) <= gap).all()
        assert (scene.first, scene.last) == (within[0], within[-1])
        for other in scenes:
            if other is not scene and media[other.best] == media[scene.best]:
                assert other.first - scene.last > gap or scene.first - other.last > gap


@given(hits, st.integers(0, 12))
def test_the_best_is_first_of_a_scene_and_of_all(found: Hits, gap: int) -> None:
    ids, scores, media, frames = arrays(found)
    scenes = collapse(ids, scores, media, frames, gap=gap)
    ranks = [(-float(scores[scene.best]), int(ids[scene.best])) for scene in scenes]
    assert ranks == sorted(ranks)
    for scene in scenes:
        within = [(-float(scores[place]), int(ids[place])) for place in scene.hits]
        assert within == sorted(within)


@given(hits, st.randoms(use_true_random=False))
def test_the_order_of_the_hits_does_not_matter(found: Hits, random: object) -> None:
    shuffled = list(found.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    told = []
    for one in (found, dict(shuffled)):
        ids, scores, media, frames = arrays(one)
        told.append([ids[scene.hits].tolist() for scene in collapse(ids, scores, media, frames, gap=4)])
    assert told[0] == told[1]


def test_a_gap_for_each_video() -> None:
    media = np.array([1, 1, 2, 2], np.int64)
    frames = np.array([0, 5, 0, 5], np.int64)
    found = collapse(media << 24 | frames, np.ones(4, np.float32), media, frames, gap=np.array([5, 5, 4, 4]))
    assert [scene.hits.tolist() for scene in found] == [[0, 1], [2], [3]]


def test_pictures_are_scenes_of_their_own() -> None:
    media = np.array([4, 7, 5], np.int64)
    found = collapse(media << 24, np.array([0.1, 0.9, 0.5], np.float32), media, np.zeros(3, np.int64), gap=30)
    assert [scene.best for scene in found] == [1, 2, 0]


def test_a_shot_ends_where_the_picture_changes() -> None:
    rng = np.random.default_rng(0)
    looks = rng.normal(size=(3, 32))
    rows = np.concatenate([looks[kind] + 0.1 * rng.normal(size=(20, 32)) for kind in (0, 1, 0)])
    rows = np.concatenate([rows, looks[2:] + 0.1 * rng.normal(size=(10, 32))])
    unit = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
    media, frames = np.repeat([1, 2], [60, 10]), np.concatenate([np.arange(60), np.arange(10)])
    assert shots(unit, media, frames, gap=5).tolist() == [0] * 20 + [1] * 20 + [2] * 20 + [3] * 10
    frames[65:] += 6
    assert shots(unit, media, frames, gap=5).tolist() == [0] * 20 + [1] * 20 + [2] * 20 + [3] * 5 + [4] * 5
    order = rng.permutation(70)
    assert np.array_equal(
        shots(unit[order], media[order], frames[order], gap=5), shots(unit, media, frames, gap=5)[order]
    )


def test_pictures_are_shots_of_their_own() -> None:
    media = np.array([3, 1, 2], np.int64)
    assert sorted(shots(np.eye(3, dtype=np.float32), media, np.zeros(3, np.int64), gap=1).tolist()) == [0, 1, 2]
