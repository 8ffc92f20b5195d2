"""Who follows the embedding store hears of every frame that was written, once, and of frames that went."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from espalier.contract import Embeddings
from espalier.store.embedding_changes import START, Mark
from espalier.store.embeddings import EmbeddingStore

ENCODER = "0123456789abcdef"
DIM = 8
Frame = tuple[str, int]


def rows_of(count: int) -> Embeddings:
    rows = np.random.default_rng(count).normal(size=(count, DIM))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def write(store: EmbeddingStore, *frames: Frame) -> None:
    store.write_many(ENCODER, list(frames), rows_of(len(frames)))


def heard(store: EmbeddingStore, since: Mark) -> tuple[set[Frame], Mark, bool]:
    """What was written since, in the words of the store; where to go on; and whether all before is to be forgotten."""
    found: set[Frame] = set()
    starts_over = False
    for piece in store.changes(ENCODER, since):
        if piece.starts_over:
            found, starts_over = set(), True
        places, frames = piece.frames()
        found |= {(piece.media[place], frame) for place, frame in zip(places.tolist(), frames.tolist(), strict=True)}
        since = piece.mark
    return found, since, starts_over


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddingStore]:
    store = EmbeddingStore(tmp_path)
    yield store
    store.close()


def test_nothing_written_is_nothing_heard(store: EmbeddingStore, tmp_path: Path) -> None:
    found, mark, starts_over = heard(store, START)
    assert (found, starts_over) == (set(), True)
    assert not any(tmp_path.iterdir()), "asking must not make files"
    write(store, ("a", 0))
    assert heard(store, mark)[0] == {("a", 0)}


def test_what_was_heard_is_not_heard_again(store: EmbeddingStore) -> None:
    write(store, ("a", 0), ("v", 3), ("v", 300))
    found, mark, _ = heard(store, START)
    assert found == {("a", 0), ("v", 3), ("v", 300)}
    assert heard(store, mark) == (set(), mark, False)
    write(store, ("b", 0), ("v", 4))
    found, mark, starts_over = heard(store, mark)
    assert found == {("b", 0), ("v", 3), ("v", 4)}, "a block is told whole"
    assert not starts_over


def test_where_something_was_forgotten_all_is_told_from_the_start(store: EmbeddingStore) -> None:
    write(store, ("a", 0), ("b", 0))
    _, mark, _ = heard(store, START)
    store.forget("b")
    found, mark, starts_over = heard(store, mark)
    assert (found, starts_over) == ({("a", 0)}, True)
    write(store, ("b", 0))
    assert heard(store, mark)[0] == {("b", 0)}


def test_the_blocks_of_some_media_are_told_without_the_others(store: EmbeddingStore) -> None:
    write(store, ("a", 0), ("b", 0), ("v", 1), ("v", 600))
    told = {
        (piece.media[place], frame)
        for piece in store.held(ENCODER, ["v", "b", "none"])
        for place, frame in zip(*(one.tolist() for one in piece.frames()), strict=True)
    }
    assert told == {("b", 0), ("v", 1), ("v", 600)}


STEPS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.sampled_from("abv"), st.integers(0, 600)), min_size=1, max_size=5, unique=True),
        st.sampled_from(["forget a", "forget v", "listen", "another process"]),
    ),
    max_size=14,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_a_follower_always_knows_what_is_there(tmp_path_factory: pytest.TempPathFactory, steps: list[object]) -> None:
    directory = tmp_path_factory.mktemp("embeddings")
    store = EmbeddingStore(directory)
    there: set[Frame] = set()
    known: set[Frame] = set()
    mark = START
    for step in [*steps, "listen"]:
        if isinstance(step, list):
            write(store, *step)
            there |= set(step)
        elif step == "another process":
            store.close()
            store = EmbeddingStore(directory)
        elif step == "listen":
            found, mark, starts_over = heard(store, mark)
            known = found if starts_over else known | found
            assert known == there
        else:
            media = str(step)[-1]
            store.forget(media)
            there = {frame for frame in there if frame[0] != media}
    store.close()
