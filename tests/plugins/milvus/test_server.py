"""A Milvus by its URL (a milvus-lite server stands for it): graph and cells, their recall, and refusals in words."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from espalier.contract import IndexRequest
from espalier.errors import BadIndex, BadSetting
from espalier.plugins.registry import drop_index, open_index
from espalier.testing import check_index
from espalier_milvus import MilvusIndex, index, kinds, service
from espalier_milvus.measured import Measured
from espalier_milvus.service import Address

from .conftest import DIM, frame_ids, start_server, unit_rows


@pytest.fixture
def request_there(request_here: IndexRequest, server: str) -> IndexRequest:
    return replace(request_here, url=server.replace("//", "//somebody:a%20secret@"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is built for hundreds of thousands, and for millions, is built for hundreds."""
    monkeypatch.setattr(kinds, "EXACT_BELOW", 300)
    monkeypatch.setattr(kinds, "GRAPH_BELOW", 700)


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_it_keeps_the_contract(request_there: IndexRequest) -> None:
    check_index(MilvusIndex, request_there)


@pytest.mark.usefixtures("small")
def test_the_index_follows_the_number_of_vectors_and_its_recall_is_measured(request_there: IndexRequest) -> None:
    ids, rows = frame_ids(3, 300), unit_rows(900, seed=1)
    opened, other = open_index("milvus", request_there), open_index("milvus", request_there)
    for count, kind in ((200, "exact"), (600, "HNSW32"), (900, "IVF4096,Flat")):
        opened.add(ids[:count], rows[:count])
        opened.save()
        report = opened.report()
        assert (report.kind, report.vectors) == (kind, count)
        assert (report.recall is None) == (kind == "exact")
        assert (report.recall or 1) >= request_there.recall
        exact = np.sort(-(rows[:9] @ rows[:count].T), axis=1)[:, :20]
        assert (np.abs(opened.search(rows[:9], 20)[1] + exact) < 1e-5).mean() >= 0.99
        assert other.report() == report, "who has it open as well hears of it"
    opened.close()
    other.close()
    again = open_index("milvus", request_there)
    assert again.report() == report, "what was measured is kept"
    again.close()
    assert Measured.read(request_there.directory)
    drop_index("milvus", request_there)
    assert Measured.read(request_there.directory) is None


@pytest.mark.usefixtures("small")
def test_recall_that_was_not_measured_here_is_not_claimed(request_there: IndexRequest) -> None:
    opened = open_index("milvus", request_there)
    opened.add(frame_ids(1, 400), unit_rows(400))
    opened.save()
    opened.close()
    (request_there.directory / "milvus_recall.json").write_text("{")
    again = open_index("milvus", request_there)
    assert again.report().recall is None
    assert "not measured on this machine yet" in again.report().reason
    assert again.search(unit_rows(400)[:5], 1)[0].ravel().tolist() == frame_ids(1, 5).tolist()
    again.save()
    assert (again.report().recall or 0) >= 0.99
    again.close()


def test_a_graph_that_misses_too_much_gives_way_to_cells(
    request_there: IndexRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "EXACT_BELOW", 300)
    monkeypatch.setattr(kinds, "GRAPH", replace(kinds.GRAPH, built_with={"M": 2, "efConstruction": 8}, efforts=(1, 2)))
    opened = open_index("milvus", request_there)
    opened.add(frame_ids(1, 3000), unit_rows(3000))
    opened.save()
    assert opened.report().kind == "IVF4096,Flat"
    assert (opened.report().recall or 0) >= 0.99
    opened.close()


def test_more_hits_than_one_search_gives_are_found(
    request_there: IndexRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST_HITS", 10)
    ids, rows = frame_ids(2, 40), unit_rows(80)
    opened = open_index("milvus", request_there)
    opened.add(ids, rows)
    for allowed in (None, ids[::2]):
        here = np.arange(80) if allowed is None else np.arange(0, 80, 2)
        order = np.argsort(-(rows[:3] @ rows[here].T), axis=1)[:, :30]
        assert np.array_equal(opened.search(rows[:3], 30, allowed)[0], ids[here][order])
    opened.close()


def test_two_may_open_it_and_one_that_was_dropped_is_bad(request_there: IndexRequest) -> None:
    first, second = open_index("milvus", request_there), open_index("milvus", request_there)
    first.add(frame_ids(1, 5), unit_rows(5))
    assert np.array_equal(second.ids(), frame_ids(1, 5))
    drop_index("milvus", request_there)
    with pytest.raises(BadIndex, match="built anew from the embeddings"):
        second.search(unit_rows(1), 1)
    first.close()
    second.close()


@pytest.mark.parametrize("url", ["host:19530", "ftp://user:a-secret@host", "http://", "http://a-secret@host:port"])
def test_an_url_that_is_none_is_refused_without_repeating_it(request_here: IndexRequest, url: str) -> None:
    with pytest.raises(BadSetting, match="expected http://host:19530") as caught:
        open_index("milvus", replace(request_here, url=url))
    assert "a-secret" not in str(caught.value)


@pytest.mark.parametrize("where", ["closed", "silent", "no such host"])
def test_a_service_that_is_not_there_is_said_in_seconds(
    request_here: IndexRequest, where: str, silent: str, capfd: pytest.CaptureFixture[str]
) -> None:
    urls = {"closed": "http://127.0.0.1:9", "silent": silent, "no such host": "https://no-such-host.invalid"}
    url = urls[where].replace("//", "//user:a-secret@")
    started = time.monotonic()
    with pytest.raises(BadSetting, match="does not answer as one") as caught:
        open_index("milvus", replace(request_here, url=url))
    assert time.monotonic() - started < 30, "seconds, not minutes"
    assert "\n" not in str(caught.value)
    assert "a-secret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_an_address_is_read_with_its_secret_apart() -> None:
    assert Address.read("https://me:p%40ss@milvus.example/espalier") == Address(
        "https://milvus.example:443", "me:p@ss", "espalier"
    )
    assert Address.read("http://token@host") == Address("http://host:19530", "token", "")


def test_a_server_that_goes_away_is_said_in_words(
    request_there: IndexRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CALL_S", 1.0)
    running, database, port = start_server(tmp_path / "short-lived")
    opened = open_index("milvus", replace(request_there, url=f"http://127.0.0.1:{port}"))
    running.stop(grace=0).wait()
    database.close()
    with pytest.raises(BadSetting, match=rf"the Milvus at http://127.0.0.1:{port} failed at searching: .*its own log"):
        opened.search(unit_rows(1), 1)
    opened.close()


def test_files_of_a_server_lie_with_it_alone(request_there: IndexRequest) -> None:
    opened = open_index("milvus", request_there)
    opened.add(frame_ids(1, 3), unit_rows(3, dim=DIM))
    opened.save()
    opened.close()
    assert not request_there.directory.exists()


@pytest.mark.parametrize("name", ["project", "project_1__dead"])
def test_names_that_begin_alike_are_different_indexes(request_there: IndexRequest, name: str) -> None:
    ids = frame_ids(1, 20)
    opened = open_index("milvus", request_there)
    opened.add(ids, unit_rows(20))
    alike = replace(request_there, name=name)
    other = open_index("milvus", alike)
    assert len(other.ids()) == 0
    other.close()
    drop_index("milvus", alike)
    assert np.array_equal(opened.ids(), ids)
    opened.close()
