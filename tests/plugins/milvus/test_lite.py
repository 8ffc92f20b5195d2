"""milvus-lite in this process: the contract, brute force and FAISS, sudden ends, locks, and what `close` leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from espalier.contract import Ids, IndexRequest
from espalier.errors import BadIndex, BadSetting
from espalier.plugins.checked import CheckedIndex
from espalier.plugins.registry import drop_index, indexes, open_index
from espalier.testing import check_index
from espalier_milvus import MilvusIndex, library

from .conftest import DIM, frame_ids, unit_rows

ROWS = unit_rows(120, seed=1)
HELD = frame_ids(4, 30, stride=7)


def sockets() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("espalier-milvus-*"))


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "milvus" in thread.name.lower()]


def test_it_keeps_the_contract() -> None:
    check_index(MilvusIndex)
    assert not own_threads()


def test_searches_are_brute_force_under_any_condition(request_here: IndexRequest) -> None:
    opened = open_index("milvus", request_here)
    opened.add(HELD, ROWS)
    cosines = ROWS[:3] @ ROWS.T

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sets(st.integers(0, 119)), st.booleans(), st.integers(1, 30))
    def agree(places: set[int], others: bool, k: int) -> None:
        some = np.array(sorted(places), np.int64)
        allowed = np.union1d(HELD[some], HELD[some] + 1 if others else some)
        found, scores = opened.search(ROWS[:3], k, allowed)
        for row in range(3):
            order = some[np.argsort(-cosines[row, some], kind="stable")][:k]
            assert found[row, : len(order)].tolist() == HELD[order].tolist()
            assert np.allclose(scores[row, : len(order)], cosines[row, order], atol=1e-5)
            assert (found[row, len(order) :] == -1).all()

    agree()
    opened.close()


def test_it_finds_what_faiss_finds(request_here: IndexRequest, tmp_path: Path) -> None:
    assert not indexes()["faiss"].error
    faiss = open_index("faiss", replace(request_here, directory=tmp_path / "faiss"))
    milvus = open_index("milvus", request_here)
    ids, rows = frame_ids(20, 50), unit_rows(1000, seed=2)
    for opened in (faiss, milvus):
        opened.add(ids, rows)
        opened.remove(ids[100:150])
        opened.add(ids[:50], rows[50:100])
    queries = unit_rows(10, seed=3)
    spot = {id: place + 50 * (place < 50) for place, id in enumerate(ids.tolist())}
    for allowed in (None, ids[::3], ids[300:400]):
        wanted, found = faiss.search(queries, 20, allowed), milvus.search(queries, 20, allowed)
        assert np.allclose(found[1], wanted[1], atol=1e-5)
        # The first hundred lie in pairs on the same spot, and either of a pair may come first.
        for mine, theirs in zip(found[0], wanted[0], strict=True):
            assert sorted(spot[id] for id in mine.tolist()) == sorted(spot[id] for id in theirs.tolist())
    assert np.array_equal(faiss.ids(), milvus.ids())
    assert faiss.report().vectors == milvus.report().vectors == 950
    faiss.close()
    milvus.close()


def test_a_hundred_thousand_allowed_ids_are_right(index: CheckedIndex) -> None:
    ids, rows = frame_ids(2, 1000, stride=3), unit_rows(2000, seed=4)
    index.add(ids, rows)
    index.save()
    some = np.random.default_rng(5).choice(ids, 500, replace=False)
    nowhere = (np.arange(100_000, dtype=np.int64) + 50) << 24
    allowed = np.union1d(some, nowhere)
    found, _ = index.search(rows[:2], 10, allowed)
    where = np.isin(ids, some)
    for row in range(2):
        order = np.argsort(-(rows[where] @ rows[row]))[:10]
        assert found[row].tolist() == ids[where][order].tolist()


def test_what_another_adds_between_allowed_ids_is_not_found(index: CheckedIndex, request_here: IndexRequest) -> None:
    ids, rows = frame_ids(4, 30, stride=7), unit_rows(120, seed=1)
    index.add(ids, rows)
    assert np.array_equal(index.search(rows[:1], 5, ids)[0], index.search(rows[:1], 5)[0])  # now it knows what it holds
    other = open_index("milvus", request_here)
    other.add(ids + 1, rows)
    other.close()
    found, _ = index.search(rows, 20, ids)
    assert np.isin(found, ids).all()


WRITER = """
import sys, numpy as np
from pathlib import Path
from espalier.contract import IndexRequest
from espalier.plugins.registry import open_index
index = open_index("milvus", IndexRequest("project_1", 16, "0123456789abcdef", Path(sys.argv[1])))
rows = np.eye(16, dtype=np.float32)[np.arange(50) % 16]
for step in range(10_000):
    index.add(np.arange(50, dtype=np.int64) + 50 * step, rows)
    print(step, flush=True)
    if step % 4 == 3:
        index.save()
"""


@pytest.mark.parametrize("acknowledged", [3, 10])
def test_a_killed_process_loses_nothing_that_was_acknowledged(request_here: IndexRequest, acknowledged: int) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(request_here.directory)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    with writer.stdout:
        steps = [int(writer.stdout.readline()) for _ in range(acknowledged)]
        with pytest.raises(BadSetting, match="open in another process, and milvus-lite lets in one at a time"):
            open_index("milvus", request_here)
        writer.send_signal(signal.SIGKILL)
        steps += [int(line) for line in writer.stdout]
        writer.wait()
    opened = open_index("milvus", request_here)
    held = opened.ids()
    assert np.isin(np.arange(50 * (steps[-1] + 1)), held).all()
    assert opened.search(np.eye(16, dtype=np.float32)[:1], 3)[1].tolist() == [[1, 1, 1]]
    opened.close()


@pytest.mark.parametrize("name", ["p", "p" * 100], ids=["a short path", "a path too long for a socket"])
def test_close_leaves_no_thread_no_socket_and_no_open_file(request_here: IndexRequest, name: str) -> None:
    def files() -> set[str]:
        return {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}

    before = sockets()
    for _ in range(2):
        opened = open_index("milvus", replace(request_here, name=name))
        opened.add(HELD, ROWS)
        assert own_threads()
        opened.close()
    assert not own_threads()
    assert not [path for path in files() if str(request_here.directory) in path]
    assert sockets() == before
    assert not list(request_here.directory.rglob("socket"))


def test_its_socket_is_for_this_user_alone(index: CheckedIndex, request_here: IndexRequest) -> None:
    (socket,) = request_here.directory.rglob("socket")
    assert socket.parent.stat().st_mode & 0o077 == 0
    assert len(index.ids()) == 0


def test_broken_files_are_bad_and_can_be_dropped(request_here: IndexRequest) -> None:
    opened = open_index("milvus", request_here)
    opened.add(HELD, ROWS)
    opened.close()
    (schema,) = request_here.directory.rglob("schema.json")
    schema.write_text("{")
    with pytest.raises(BadIndex, match="built anew from the embeddings"):
        open_index("milvus", request_here)
    drop_index("milvus", request_here)
    opened = open_index("milvus", request_here)
    assert len(opened.ids()) == 0
    opened.add(HELD, ROWS)
    drop_index("milvus", request_here)
    with pytest.raises(BadIndex, match="built anew"):
        opened.add(HELD, ROWS)
    opened.close()


def test_another_encoder_is_refused_by_name(request_here: IndexRequest) -> None:
    open_index("milvus", request_here).close()
    with pytest.raises(BadIndex, match=r"holds embeddings of another encoder \(0123456789abcdef, not ffff"):
        open_index("milvus", replace(request_here, encoder="f" * 16))
    with pytest.raises(BadIndex, match=f"holds vectors of {DIM} numbers, not 3"):
        open_index("milvus", replace(request_here, dim=3))
    assert not own_threads()


@pytest.mark.parametrize("missing", ["pymilvus", "milvus_lite.db"])
def test_what_is_not_installed_is_named(
    request_here: IndexRequest, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(BadSetting, match=r"pip install 'label-studio-espalier\[milvus\]'"):
        open_index("milvus", request_here)


def test_listing_the_plugin_imports_no_pymilvus() -> None:
    program = "import sys, espalier_milvus; print('pymilvus' in sys.modules, 'milvus_lite' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]


def test_it_is_quiet_up_to_an_end_without_close_and_leaves_the_environment_alone(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; before = dict(os.environ)\n"
        "from espalier.contract import IndexRequest; from espalier.plugins.registry import open_index\n"
        "import numpy as np\n"
        f"index = open_index('milvus', IndexRequest('p', 4, 'a' * 16, Path({str(tmp_path)!r})))\n"
        "index.add(np.arange(4), np.eye(4, dtype=np.float32)); index.ids(); index.save()\n"
        "print(dict(os.environ) == before)"
    )
    answer = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert (answer.stdout, answer.stderr) == ("True\n", "")
    assert library.pymilvus().MilvusClient


def test_a_search_that_is_asked_for_nothing_is_answered(index: CheckedIndex) -> None:
    nobody: Ids = np.empty(0, np.int64)
    index.add(HELD, ROWS)
    assert (index.search(ROWS[:2], 3, nobody)[0] == -1).all()
    assert index.search(ROWS[:0], 3)[0].shape == (0, 3)
    assert index.report().reason == "milvus-lite, in this process: every vector is compared"
