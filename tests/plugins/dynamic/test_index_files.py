"""What lies on the disk is opened as it was, or refused in words; a checksum that differs is never overlooked."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from espalier.contract import Embeddings, Ids, IndexRequest
from espalier.errors import BadIndex, BadSetting
from espalier_dynamic import FaissIndex
from espalier_dynamic.index_policy import IndexPolicy

from .unit_rows import scenes

DIM = 16
ROWS = scenes(400, DIM)


class Written(FaissIndex):
    policy = IndexPolicy(exact_mb=0.01, merge_rows=0, merge_share=0)


@pytest.fixture
def asked(tmp_path: Path) -> IndexRequest:
    """300 rows in a generation with cells, 20 added and 10 removed since."""
    asked = IndexRequest("frames", DIM, "0123456789abcdef", tmp_path / "index", recall=0.9)
    index = Written.open(asked)
    index.add(np.arange(300), ROWS[:300])
    index.save()
    index.add(np.arange(300, 320), ROWS[300:320])
    index.remove(np.arange(10))
    index.close()
    return asked


def journal_of(asked: IndexRequest) -> Path:
    (path,) = asked.directory.glob("journal-*")
    return path


def ids_and_row(index: FaissIndex) -> tuple[Ids, Embeddings]:
    return index.ids(), index.search(ROWS[100:101], 1)[1]


def test_it_is_opened_as_it_was_left(asked: IndexRequest) -> None:
    index = Written.open(asked)
    assert np.array_equal(index.ids(), np.arange(10, 320))
    assert index.report().kind.startswith("IVF")
    assert sorted(path.name for path in asked.directory.iterdir()) == [
        "generation-1",
        "journal-1",
        "lock",
        "pointer.json",
        "save.lock",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder": "f" * 16}, "holds embeddings of encoder '0123456789abcdef', asked for is 'ffffffffffffffff'"),
        ({"dim": 17}, "holds embeddings of dim 16, asked for is 17"),
        ({"name": "others"}, "holds embeddings of name 'frames', asked for is 'others'"),
    ],
    ids=["encoder", "dim", "name"],
)
def test_what_is_anothers_is_refused_in_words(asked: IndexRequest, changes: dict[str, str | int], words: str) -> None:
    with pytest.raises(BadIndex, match="embeddings of two encoders are never mixed: build it anew") as refused:
        Written.open(replace(asked, **changes))  # type: ignore[arg-type]
    assert words in str(refused.value)


def test_no_byte_of_it_may_be_another(asked: IndexRequest, tmp_path: Path) -> None:
    """Of each file some bytes at random, the first and the last: an index that was damaged is not opened."""
    rng, kept = np.random.default_rng(0), tmp_path / "kept"
    shutil.copytree(asked.directory, kept)
    for path in sorted(path for path in kept.rglob("*") if path.is_file() and "lock" not in path.name):
        size = path.stat().st_size
        for byte in {0, size - 1, *rng.integers(0, size, 25).tolist()}:
            shutil.rmtree(asked.directory)
            shutil.copytree(kept, asked.directory)
            damaged = asked.directory / path.relative_to(kept)
            content = bytearray(damaged.read_bytes())
            content[byte] ^= 1 << int(rng.integers(8))
            damaged.write_bytes(content)
            with pytest.raises(BadIndex):
                Written.open(asked)


def test_no_file_of_it_may_be_missing_or_shorter(asked: IndexRequest, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(asked.directory, kept)
    for path in sorted(path for path in kept.rglob("*") if path.is_file() and "lock" not in path.name):
        for size in (None, 0, path.stat().st_size - 1):
            if size and path.name.startswith("journal"):
                continue  # that is what a kill leaves, see below
            shutil.rmtree(asked.directory)
            shutil.copytree(kept, asked.directory)
            damaged = asked.directory / path.relative_to(kept)
            damaged.unlink() if size is None else damaged.write_bytes(path.read_bytes()[:size])
            with pytest.raises(BadIndex):
                Written.open(asked)


def test_a_record_that_was_not_written_to_its_end_is_cut(asked: IndexRequest) -> None:
    path = journal_of(asked)
    before = path.stat().st_size
    Written.open(asked).add(np.arange(390, 392), ROWS[390:392])
    whole = path.read_bytes()
    for size in range(before, len(whole)):
        path.write_bytes(whole[:size])
        index = Written.open(asked)
        assert np.array_equal(index.ids(), np.arange(10, 320))
        assert path.stat().st_size == size, "who only looks changes nothing"
    index.add(np.arange(320, 321), ROWS[320:321])
    assert np.array_equal(Written.open(asked).ids(), np.arange(10, 321))


def test_zeros_that_a_power_cut_leaves_are_cut(asked: IndexRequest) -> None:
    path = journal_of(asked)
    path.write_bytes(path.read_bytes() + bytes(5000))
    index = Written.open(asked)
    index.remove(np.arange(300, 310))
    assert np.array_equal(Written.open(asked).ids(), np.concatenate([np.arange(10, 300), np.arange(310, 320)]))


def test_what_an_interrupted_save_left_is_swept_by_the_next(asked: IndexRequest) -> None:
    for name in ("generation-2.draft", "generation-7"):
        (asked.directory / name).mkdir()
        (asked.directory / name / "rows.f32").write_bytes(b"half")
    (asked.directory / "journal-2").write_bytes(b"half")
    index = Written.open(asked)
    index.save()
    assert np.array_equal(index.ids(), np.arange(10, 320))
    assert [path.name for path in asked.directory.glob("*-*")].count("generation-2") == 1
    assert len(list(asked.directory.glob("*-*"))) == 2


def test_a_directory_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"a cat")
    asked = IndexRequest("frames", DIM, "0123456789abcdef", tmp_path / "photos")
    with pytest.raises(BadIndex, match=r"holds 'cat.jpg' but no pointer.json"):
        Written.open(asked)
    Written.drop(asked)
    assert (tmp_path / "photos" / "cat.jpg").read_bytes() == b"a cat"


def test_a_pointer_of_another_format_is_refused(asked: IndexRequest) -> None:
    (asked.directory / "pointer.json").write_text('{"format": "espalier index 9", "checksum": 0}')
    with pytest.raises(BadIndex, match="another version of Espalier wrote it"):
        Written.open(asked)


def test_what_cannot_be_read_can_be_dropped_and_built_anew(asked: IndexRequest) -> None:
    (asked.directory / "pointer.json").write_bytes(b"\x00\x01")
    with pytest.raises(BadIndex):
        Written.open(asked)
    Written.drop(asked)
    assert not asked.directory.exists()
    assert len(Written.open(replace(asked, encoder="f" * 16)).ids()) == 0


def test_a_drop_that_was_interrupted_is_finished_by_who_opens_it(asked: IndexRequest) -> None:
    index = Written.open(asked)
    pointer, _ = index.files.read_pointer()
    index.files.point(replace(pointer, generation=0, dropped=True))
    with pytest.raises(BadIndex, match="is being dropped"):
        index.ids()
    assert len(Written.open(asked).ids()) == 0


def test_large_files_are_looked_at_here_and_there(tmp_path: Path) -> None:
    """The first and the last block are always among what is looked at."""

    class Careless(Written):
        policy = replace(Written.policy, verify_mb=0)

    asked = IndexRequest("frames", DIM, "0123456789abcdef", tmp_path / "index")
    index = Written.open(asked)
    index.add(np.arange(400), ROWS)
    index.save()
    path = asked.directory / "generation-1" / "rows.f32"
    path.write_bytes(bytes(64) + path.read_bytes()[64:])
    with pytest.raises(BadIndex, match="in the 4 MB from byte 0: a checksum differs"):
        Careless.open(asked)


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """The disk takes no more than so many bytes of a file: the system itself refuses, in the middle of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_disk_does_not_take_is_said_and_what_was_there_holds(asked: IndexRequest) -> None:
    index = Written.open(asked)
    before, journal = index.ids(), journal_of(asked)
    with no_file_above(journal.stat().st_size + 100):
        with pytest.raises(BadSetting, match=r"journal-1 cannot be written: .*MB are free there.*ESPALIER_DATA_DIR"):
            index.add(np.arange(500, 520), ROWS[:20])
        assert np.array_equal(index.ids(), before)
    assert np.array_equal(Written.open(asked).ids(), before)
    index.add(np.arange(500, 520), ROWS[:20])
    assert np.array_equal(Written.open(asked).ids(), [*before, *range(500, 520)])


@pytest.mark.parametrize("most", [100, 10_000], ids=["ids", "rows"])
def test_a_generation_that_the_disk_does_not_take_leaves_the_old_one(asked: IndexRequest, most: int) -> None:
    index = Written.open(asked)
    before = index.ids()
    with no_file_above(most), pytest.raises(BadSetting, match=r"generation-2 cannot be written: .*still holds"):
        index.save()
    assert sorted(path.name for path in asked.directory.glob("*-*")) == ["generation-1", "journal-1"]
    assert np.array_equal(Written.open(asked).ids(), before)
    index.save()
    assert np.array_equal(Written.open(asked).ids(), before)
    assert (asked.directory / "generation-2").is_dir()


def test_a_place_that_cannot_be_written_is_said(asked: IndexRequest, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="cannot be written: Not a directory"):
        Written.open(replace(asked, directory=tmp_path / "file" / "index"))
