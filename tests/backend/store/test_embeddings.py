"""The embedding store: what is written is read, however often, by however many, and however suddenly they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from espalier.contract import Embeddings
from espalier.store.embeddings import EmbeddingStore, NotEmbedded
from espalier_ontology.frames import Frames

ENCODER = "0123456789abcdef"
DIM = 24


def rows_of(numbers: range | list[int], dim: int = DIM) -> Embeddings:
    """A row of norm 1 per frame number, always the same one."""
    rows = np.stack([np.random.default_rng(number).normal(size=dim) for number in numbers]).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddingStore]:
    store = EmbeddingStore(tmp_path)
    yield store
    store.close()


def test_what_is_written_is_read(store: EmbeddingStore) -> None:
    numbers = [5, 3, 300, 900]
    store.write(ENCODER, "video", np.array(numbers), rows_of(numbers))
    found, rows = store.read(ENCODER, "video", Frames.of((0, 1000)))
    assert found.tolist() == [3, 5, 300, 900]
    assert found.dtype == np.int64
    assert rows.dtype == np.float32
    assert np.allclose(rows, rows_of([3, 5, 300, 900]), atol=1e-3)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert store.count(ENCODER) == 4


def test_nothing_written_is_nothing_found(store: EmbeddingStore, tmp_path: Path) -> None:
    frames = Frames.of((0, 10))
    assert store.missing(ENCODER, "video", frames) == frames
    assert len(store.read(ENCODER, "video", frames)[0]) == 0
    assert list(store.blocks(ENCODER, "video", frames)) == []
    assert store.count(ENCODER) == 0
    assert not any(tmp_path.iterdir()), "asking must not make files"


@pytest.mark.parametrize(
    ("frames", "missing"),
    [
        (Frames.of((0, 100)), Frames.of((0, 10), (20, 100))),
        (Frames.of((10, 20)), Frames()),
        (Frames.of((250, 260)), Frames.of((258, 260))),
        (Frames(), Frames()),
        (Frames.of((5000, 5001)), Frames.of((5000, 5001))),
    ],
    ids=["around", "all there", "over a block's edge", "none asked", "far away"],
)
def test_missing_says_what_is_not_there(store: EmbeddingStore, frames: Frames, missing: Frames) -> None:
    numbers = [*range(10, 20), *range(250, 258)]
    store.write(ENCODER, "video", np.array(numbers), rows_of(numbers))
    assert store.missing(ENCODER, "video", frames) == missing
    assert store.missing(ENCODER, "another", frames) == frames
    assert store.missing("fedcba9876543210", "video", frames) == frames


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writes=st.lists(st.lists(st.integers(0, 700), min_size=1, max_size=30), max_size=5),
    asked=st.lists(st.integers(0, 800), max_size=30),
)
def test_any_order_of_any_writes_gives_the_same_store(
    tmp_path_factory: pytest.TempPathFactory, writes: list[list[int]], asked: list[int]
) -> None:
    store = EmbeddingStore(tmp_path_factory.mktemp("store"))
    for numbers in writes:
        store.write(ENCODER, "video", np.array(numbers), rows_of(numbers))
    there = sorted({number for numbers in writes for number in numbers} & set(asked))
    found, rows = store.read(ENCODER, "video", Frames.at(asked))
    assert found.tolist() == there
    assert not there or np.allclose(rows, rows_of(there), atol=1e-3)
    assert store.missing(ENCODER, "video", Frames.at(asked)) == Frames.at(set(asked) - set(there))
    store.close()


def test_writing_again_changes_nothing(store: EmbeddingStore) -> None:
    store.write(ENCODER, "video", np.arange(40), rows_of(range(40)))
    before = store.read(ENCODER, "video", Frames.of((0, 50)))[1]
    store.write(ENCODER, "video", np.arange(30, 50), -rows_of(range(30, 50)))
    after = store.read(ENCODER, "video", Frames.of((0, 50)))[1]
    assert np.array_equal(before, after[:40])
    assert np.allclose(after[40:], -rows_of(range(40, 50)), atol=1e-3)


def test_blocks_hand_out_a_long_video_in_small_pieces(store: EmbeddingStore) -> None:
    rows = np.tile(rows_of(range(100), 64), (400, 1))
    store.write(ENCODER, "video", np.arange(40_000), rows)
    tracemalloc.start()
    seen = 0
    for numbers, piece in store.blocks(ENCODER, "video", Frames.of((0, 40_000))):
        assert numbers.tolist() == list(range(seen, seen + len(numbers)))
        assert len(piece) <= 1024
        assert np.allclose(piece, rows[numbers], atol=1e-3)
        seen += len(numbers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 40_000
    assert peak < rows.nbytes


def test_read_many_keeps_the_order_of_its_keys(store: EmbeddingStore) -> None:
    store.write_many(ENCODER, [(f"image-{n}", 0) for n in range(700)], rows_of(range(700)))
    store.write(ENCODER, "video", np.array([0, 7, 400]), rows_of([1000, 1007, 1400]))
    keys = [("image-3", 0), ("video", 400), ("image-699", 0), ("video", 0), ("image-3", 0), ("video", 400)]
    rows = store.read_many(ENCODER, keys)
    assert np.allclose(rows, rows_of([3, 1400, 699, 1000, 3, 1400]), atol=1e-3)
    everything = store.read_many(ENCODER, [(f"image-{n}", 0) for n in reversed(range(700))])
    assert np.allclose(everything, rows_of(list(reversed(range(700)))), atol=1e-3)


def test_a_store_that_was_just_opened_reads_many(store: EmbeddingStore, tmp_path: Path) -> None:
    store.write(ENCODER, "image", np.array([0]), rows_of([7]))
    for keys in ([("image", 0)], [("image", 0), ("image", 0)]):
        opened = EmbeddingStore(tmp_path)
        assert np.allclose(opened.read_many(ENCODER, keys), rows_of([7] * len(keys)), atol=1e-3)
        opened.close()


def test_read_many_names_what_is_missing(store: EmbeddingStore) -> None:
    store.write(ENCODER, "video", np.array([5]), rows_of([5]))
    with pytest.raises(NotEmbedded, match="3 frames have no embedding yet: frame 0 of image") as caught:
        store.read_many(ENCODER, [("image", 0), ("video", 5), ("video", 0), ("video", 9)])
    assert caught.value.keys == [("image", 0), ("video", 0), ("video", 9)]
    assert isinstance(caught.value, LookupError)


def test_a_video_without_its_first_frame_is_no_image(store: EmbeddingStore) -> None:
    store.write(ENCODER, "video", np.array([1]), rows_of([1]))
    with pytest.raises(NotEmbedded):
        store.read_many(ENCODER, [("video", 0)])


@pytest.mark.parametrize("storage", ["float16", "float32"])
def test_rounding_costs_next_to_nothing(tmp_path: Path, storage: str) -> None:
    store = EmbeddingStore(tmp_path, storage=storage)  # type: ignore[arg-type]
    rows = rows_of(range(300), 512)
    store.write(ENCODER, "video", np.arange(300), rows)
    read = store.read(ENCODER, "video", Frames.of((0, 300)))[1]
    assert np.abs(read @ read.T - rows @ rows.T).max() < (2e-4 if storage == "float16" else 1e-6)
    store.close()


def test_another_dim_and_wrong_arrays_are_refused(store: EmbeddingStore) -> None:
    store.write(ENCODER, "video", np.array([0]), rows_of([0]))
    with pytest.raises(ValueError, match="keeps embeddings of 24 numbers, got 8"):
        store.write(ENCODER, "video", np.array([1]), rows_of([1], 8))
    with pytest.raises(ValueError, match="for 2 frames"):
        store.write(ENCODER, "video", np.array([1, 2]), rows_of([1]))
    with pytest.raises(ValueError, match="numbered from 0"):
        store.write(ENCODER, "video", np.array([-1]), rows_of([1]))
    with pytest.raises(ValueError, match="encoder digest"):
        store.count("../somewhere")


def test_forgetting_a_media_leaves_the_others(store: EmbeddingStore) -> None:
    for media in ("one", "two"):
        store.write(ENCODER, media, np.arange(3), rows_of(range(3)))
    store.forget("one")
    assert store.count(ENCODER) == 3
    assert store.missing(ENCODER, "two", Frames.of((0, 3))) == Frames()


def test_threads_share_a_store(store: EmbeddingStore) -> None:
    def write(start: int) -> None:
        for number in range(start, 400, 4):
            store.write(ENCODER, "video", np.array([number]), rows_of([number]))

    threads = [threading.Thread(target=write, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.missing(ENCODER, "video", Frames.of((0, 400))) == Frames()


WRITER = """
import sys
import numpy as np
from pathlib import Path
from espalier.store.embeddings import EmbeddingStore
directory, start, stop, step = sys.argv[1], *map(int, sys.argv[2:])
store = EmbeddingStore(Path(directory))
print("ready", flush=True)
while True:
    for number in range(start, stop, step):
        row = np.random.default_rng(number).normal(size=(1, 24)).astype(np.float32)
        row /= np.linalg.norm(row)
        store.write("0123456789abcdef", "video", np.array([number]), row)
    if step > 1:
        break
"""


def _writer(directory: Path, *arguments: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def test_two_processes_write_the_same_media(store: EmbeddingStore, tmp_path: Path) -> None:
    writers = [_writer(tmp_path, 0, 600, 2), _writer(tmp_path, 0, 600, 3)]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    wanted = sorted({*range(0, 600, 2), *range(0, 600, 3)})
    numbers, rows = store.read(ENCODER, "video", Frames.of((0, 600)))
    assert numbers.tolist() == wanted
    assert np.allclose(rows, rows_of(wanted), atol=1e-3)


def test_a_killed_writer_leaves_whole_rows_and_no_lock(store: EmbeddingStore, tmp_path: Path) -> None:
    for _ in range(3):
        writer = _writer(tmp_path, 0, 2000, 1)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.15)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        numbers, rows = store.read(ENCODER, "video", Frames.of((0, 2000)))
        assert len(numbers) > 0
        assert np.allclose(rows, rows_of(numbers.tolist()), atol=1e-3)
    store.write(ENCODER, "video", np.array([5000]), rows_of([5000]))
    assert store.missing(ENCODER, "video", Frames.of((5000, 5001))) == Frames()
