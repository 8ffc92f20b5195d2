"""A project's index follows the embedding store, is made anew where it is broken, and is one encoder's alone."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.contract import IndexRequest
from espalier.errors import BadIndex, BadSetting, Cancelled
from espalier.jobs.house import House
from espalier.jobs.progress import Progress
from espalier.plugins.checked import CheckedEncoder
from espalier.plugins.registry import open_index
from espalier.search import project_index
from espalier.search.project_index import ProjectIndex, close_indexes, opened_index, request_for
from espalier.search.searchable import searchable


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many embeddings each call read for the index."""
    read: list[int] = []
    readable = project_index._readable

    def counted(found: Any, ids: Any) -> Any:
        read.append(len(ids))
        return readable(found, ids)

    monkeypatch.setattr(project_index, "_readable", counted)
    return read


def request_of(site: Any) -> IndexRequest:
    spec = site.house.encoder().spec
    return request_for(site.house, site.project, spec.digest, spec.dim)


def reopened(site: Any) -> None:
    """As if the process had ended and another one begun."""
    close_indexes(site.house)


def test_only_what_is_new_is_added(site: Any, added: list[int]) -> None:
    site.images(site.rows(10))
    site.search({"task": 1})
    site.search({"task": 2})
    assert added == [10]
    site.images(site.rows(3), first=20)
    assert len(site.found({"task": 1}, k=100)) == 12
    reopened(site)
    assert len(site.found({"task": 1}, k=100)) == 12
    assert added == [10, 3]
    site.house.records.forget_tasks(site.key, [20, 21])
    assert site.search({"task": 1})["index"]["vectors"] == 11
    site.house.embeddings.forget("image 5")
    assert site.search({"task": 1})["index"]["vectors"] == 10
    assert added == [10, 3]


def test_what_is_shown_again_is_found_again(site: Any) -> None:
    site.images(site.rows(4))
    site.house.records.note_shown(site.key, [site.shown(2, "image 3")])
    assert sorted(site.found({"task": 1})) == [(2, 1), (4, 1)]
    assert site.search({"task": 1}, conditions={"tasks": [3]})["hits"][0]["task"] == 2, "shown by 2 and 3"
    site.house.records.note_shown(site.key, [site.shown(2, "image 2")])
    assert sorted(site.found({"task": 1})) == [(2, 1), (3, 1), (4, 1)]


@pytest.mark.parametrize("harm", ["missing", "emptied", "overwritten"])
def test_an_index_that_was_harmed_is_made_anew(site: Any, harm: str) -> None:
    site.images(site.rows(200))
    before = site.found({"task": 1}, k=50)
    opened_index(site.house, site.project, searchable(site.house, site.project))._index.save()
    reopened(site)
    directory = request_of(site).directory
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert files
    if harm == "missing":
        shutil.rmtree(directory)
    for path in files if harm != "missing" else ():
        path.write_bytes(b"" if harm == "emptied" else b"?" * max(64, path.stat().st_size))
    assert site.found({"task": 1}, k=50) == before
    reopened(site)
    assert site.found({"task": 1}, k=50) == before


def test_an_index_of_another_encoder_is_never_added_to(site: Any, caplog: pytest.LogCaptureFixture) -> None:
    site.images(site.rows(6))
    request = request_of(site)
    foreign = open_index("faiss", IndexRequest(request.name, request.dim, "cd" * 16, request.directory))
    foreign.add(np.arange(5) + 99, site.rows(5))
    foreign.save()
    foreign.close()
    with pytest.raises(BadIndex):
        open_index("faiss", request)
    with caplog.at_level(logging.WARNING):
        answer = site.search({"task": 1})
    assert answer["index"]["vectors"] == 6
    assert "is made anew" in caplog.text


class OtherEncoder:
    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def encode(self, frames: Any) -> Any:
        raise NotImplementedError


def test_each_encoder_has_an_index_of_its_own(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.images(site.rows(6))
    site.search({"task": 1})
    first = request_of(site)
    spec = site.house.encoder().spec
    other = CheckedEncoder("other", OtherEncoder(dataclasses.replace(spec, digest="ab" * 16)))
    monkeypatch.setattr(House, "encoder", lambda *_, **__: other)
    assert site.ask("status")["frames"] == 0
    site.embed([(f"image {id}", 0) for id in range(1, 4)], site.rows(3))
    answer = site.search({"task": 1})
    assert (answer["of"], answer["index"]["vectors"]) == (3, 3)
    second = request_of(site)
    assert first.name != second.name
    assert first.directory != second.directory
    monkeypatch.undo()
    assert site.search({"task": 1})["index"]["vectors"] == 6


class _Stopping(Progress):
    """Cancelled at its third report."""

    def __init__(self) -> None:
        super().__init__()
        self.reports = 0

    def report(self, done: int, total: int, message: str = "") -> None:
        self.reports += 1
        if self.reports == 3:
            raise Cancelled("cancelled by a person")


def test_what_was_added_before_a_cancellation_is_not_added_again(
    site: Any, added: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_index, "_AT_ONCE", 10)
    site.images(site.rows(45))
    found = searchable(site.house, site.project)
    index = opened_index(site.house, site.project, found)
    with pytest.raises(Cancelled):
        index.bring_up_to(found, _Stopping())
    assert index.behind(found) == 25
    assert site.search({"task": 1})["index"]["vectors"] == 45
    assert added == [10, 10, 10, 10, 5]


def test_an_index_that_breaks_while_it_is_searched_is_made_anew(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.images(site.rows(8))
    before = site.found({"task": 1})
    index = opened_index(site.house, site.project, searchable(site.house, site.project))
    search, calls = index._index.search, []

    def broken(*arguments: Any) -> Any:
        calls.append(arguments)
        raise BadIndex("its file is gone")

    monkeypatch.setattr(index._index, "search", broken)
    assert site.found({"task": 1}) == before
    assert len(calls) == 1
    assert search is not index._index.search


def test_a_frame_whose_embedding_went_meanwhile_is_left_out(site: Any) -> None:
    site.images(site.rows(5))
    found = searchable(site.house, site.project)
    index = ProjectIndex(site.house, site.project, found.encoder.spec.digest, found.encoder.spec.dim)
    site.house.embeddings.forget("image 3")
    index.bring_up_to(found, Progress())
    assert index.report().vectors == 4
    index.close()


def test_a_few_projects_stay_open(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_index, "_KEPT_OPEN", 2)
    site.images(site.rows(3))
    for number in range(8, 12):
        key = f"{number}.1700000000"
        site.house.records.put_project(key, id=number, label_config=site.project.label_config)
        other = type(site)(site.house, key)
        other.images(site.rows(3))
        assert len(other.found({"task": 1})) == 2
    assert len(project_index._kept[site.house]) == 2
    assert len(site.found({"task": 1})) == 2


def test_an_unknown_index_is_refused_in_words(new_site: Any) -> None:
    site = new_site(index="annoy")
    site.images(site.rows(2))
    with pytest.raises(BadSetting, match="annoy"):
        site.search({"task": 1})


def test_every_index_finds_the_same(new_site: Any) -> None:
    site = new_site()
    rows = site.rows(40)
    site.images(rows)
    site.label(3, weather="rain")
    site.label(7, weather="rain")
    expected = site.found({"task": 1}, k=10), site.found({"task": 1}, conditions={"label": "weather: rain"})
    other = new_site(index="milvus")
    assert (other.found({"task": 1}, k=10), other.found({"task": 1}, conditions={"label": "weather: rain"})) == expected
    other.house.records.forget_tasks(site.key, [5])
    assert other.search({"task": 1})["index"]["vectors"] == 39


def test_the_index_lies_in_the_data_directory_by_plugin_and_project(site: Any) -> None:
    request = request_of(site)
    assert request.directory.is_relative_to(Path(site.house.settings.data_dir) / "indexes" / "faiss")
    assert request.name.replace("_", "").isalnum()
