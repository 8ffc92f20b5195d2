"""Several processes have the same index open: each sees what the others wrote, saved and dropped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from espalier.contract import IndexRequest
from espalier.errors import BadIndex
from espalier_dynamic import FaissIndex
from espalier_dynamic.index_policy import IndexPolicy
from espalier_dynamic.index_writing import write_generation

from .unit_rows import scenes

DIM = 16
ROWS = scenes(400, DIM)

WRITER = """
import sys
from pathlib import Path
import numpy as np
from espalier.contract import IndexRequest
from espalier_dynamic import FaissIndex
from espalier_dynamic.index_policy import IndexPolicy

class Written(FaissIndex):
    policy = IndexPolicy(exact_mb=0.01, merge_rows=0, merge_share=0)

first = int(sys.argv[2])
index = Written.open(IndexRequest("frames", 16, "0123456789abcdef", Path(sys.argv[1]), recall=0.9))
for step in range(20):
    ids = np.arange(first + 5 * step, first + 5 * step + 5)
    rows = np.random.default_rng(step).normal(size=(5, 16)).astype(np.float32)
    index.add(ids, rows / np.linalg.norm(rows, axis=1, keepdims=True))
    if step % 3 == 0:
        index.save()
    if step % 5 == 0:
        index.remove(ids[:1])
"""


class Written(FaissIndex):
    policy = IndexPolicy(exact_mb=0.01, merge_rows=0, merge_share=0)


@pytest.fixture
def asked(tmp_path: Path) -> IndexRequest:
    return IndexRequest("frames", DIM, "0123456789abcdef", tmp_path / "index", recall=0.9)


def test_who_has_it_open_sees_what_another_adds_removes_and_saves(asked: IndexRequest) -> None:
    one, other = Written.open(asked), Written.open(asked)
    one.add(np.arange(300), ROWS[:300])
    assert np.array_equal(other.ids(), np.arange(300))
    one.save()
    other.remove(np.arange(5))
    assert np.array_equal(one.ids(), np.arange(5, 300))
    other.add(np.arange(300, 310), ROWS[300:310])
    one.add(np.arange(310, 320), ROWS[310:320])
    assert one.search(ROWS[305:306], 1)[0].tolist() == [[305]]
    assert other.search(ROWS[315:316], 1)[0].tolist() == [[315]]
    other.save()
    assert np.array_equal(one.ids(), np.arange(5, 320))
    assert one.report().kind == other.report().kind


def test_what_others_add_during_a_save_is_not_lost(asked: IndexRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Written.open(asked), Written.open(asked)
    one.add(np.arange(300), ROWS[:300])

    def slowly(*arguments: object) -> None:
        write_generation(*arguments)  # type: ignore[arg-type]
        other.add(np.arange(295, 305), ROWS[:10])
        other.remove(np.arange(4))

    monkeypatch.setattr("espalier_dynamic.index.write_generation", slowly)
    one.save()
    for index in (one, other, Written.open(asked)):
        assert np.array_equal(index.ids(), np.arange(4, 305))
        assert (index.search(ROWS[9:10], 2)[1] > 0.999).all(), "the new row of 304 is there, beside that of 9"


def test_processes_that_write_at_once_lose_nothing(asked: IndexRequest) -> None:
    script = [sys.executable, "-c", WRITER, str(asked.directory)]
    writers = [subprocess.Popen([*script, str(first)], stderr=subprocess.PIPE) for first in (0, 1000)]
    for writer in writers:
        _, said = writer.communicate(timeout=60)
        assert writer.returncode == 0, said.decode()
    wanted = {first + at for first in (0, 1000) for at in range(100)} - {
        first + 5 * step for first in (0, 1000) for step in range(0, 20, 5)
    }
    assert set(Written.open(asked).ids().tolist()) == wanted


def test_what_was_dropped_by_another_is_said_in_words(asked: IndexRequest) -> None:
    index = Written.open(asked)
    index.add(np.arange(10), ROWS[:10])
    Written.drop(asked)
    with pytest.raises(BadIndex, match="was dropped meanwhile; open it again"):
        index.search(ROWS[:1], 1)
    with pytest.raises(BadIndex, match="was dropped meanwhile; open it again"):
        index.add(np.arange(10), ROWS[:10])
    assert not asked.directory.exists()
    Written.open(asked).add(np.arange(3), ROWS[:3])
    assert index.ids().tolist() == [0, 1, 2]
