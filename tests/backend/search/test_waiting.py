"""The search worker: a process of its own answers by the queue, keeps what it has open, and can be told to stop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click import ClickException

from espalier.cli.asked import answer_to
from espalier.errors import BadRequest, EspalierError
from espalier.jobs import valkey
from espalier.jobs.queue import Queues
from espalier.search.waiting import answer, is_served, result_of

WAIT_S = 60.0


@pytest.fixture
def queues(site: Any) -> Iterator[Queues]:
    yield site.house.queues
    site.house.queues.redis.close()
    valkey.stop(site.house.settings.data_dir)


@pytest.fixture
def start(site: Any, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `espalier worker search`; what is left of it is ended."""
    started: list[subprocess.Popen[bytes]] = []
    settings = {
        "ESPALIER_DATA_DIR": str(site.house.settings.data_dir),
        "ESPALIER_ENCODER": "classic",
        "OMP_NUM_THREADS": "1",
    }

    def worker() -> subprocess.Popen[bytes]:
        with (tmp_path / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "espalier.cli", "worker", "search"]
            started.append(subprocess.Popen(command, env=os.environ | settings, cwd=tmp_path, stderr=log))
        return started[-1]

    yield worker
    for one in started:
        one.kill()
        one.wait()


def test_a_worker_answers_as_this_process_would(site: Any, queues: Queues, start: Any) -> None:
    site.images(site.rows(20))
    request = {"query": {"task": 1}, "k": 5}
    here = site.ask("search", **request)
    assert not is_served(queues)
    assert answer(queues, site.key, "search", request, wait_s=0.01) is None, "nobody is there to answer"
    queues.request_training(site.key, delay=False)
    worker = start()
    assert answer(queues, site.key, "search", request, wait_s=WAIT_S) == here, "the job that waits is found again"
    assert is_served(queues)
    assert queues.waiting()["training"] == 1, "whoever searches waits for no training"

    site.label(3, weather="rain")
    found = answer(queues, site.key, "search", {**request, "conditions": {"label": "weather: rain"}}, wait_s=WAIT_S)
    assert found is not None
    assert [hit["task"] for hit in found["hits"]] == [3]
    site.house.records.forget_tasks(site.key, [3])
    found = answer(queues, site.key, "search", {**request, "k": 100}, wait_s=WAIT_S)
    assert found is not None
    assert len(found["hits"]) == 18

    site.house.records.forget_tasks(site.key, [4])
    found = answer(queues, site.key, "search", {**request, "k": 100}, wait_s=WAIT_S)
    assert found is not None
    assert len(found["hits"]) == 17, "an earlier answer to the same question is not told again"

    with pytest.raises(BadRequest, match="project 7 has no task 99"):
        answer(queues, site.key, "search", {"query": {"task": 99}}, wait_s=WAIT_S)
    with pytest.raises(BadRequest, match="status: 'query' is not known"):
        answer(queues, site.key, "status", {"query": 1}, wait_s=WAIT_S)
    found = answer_to(site.house, site.project, "search", request)
    assert found == answer_to(site.house, site.project, "search", request, here=True), "a command asks it, too"
    with pytest.raises(ClickException, match="project 7 has no task 99"):
        answer_to(site.house, site.project, "search", {"query": {"task": 99}})
    worker.terminate()
    assert worker.wait(timeout=20) == 0


def test_what_cannot_be_asked_is_refused_before_a_job_is_made(site: Any, queues: Queues) -> None:
    with pytest.raises(BadRequest, match="nothing is called 'find'"):
        answer(queues, site.key, "find", {}, wait_s=0)
    with pytest.raises(BadRequest, match="must be JSON"):
        answer(queues, site.key, "search", {"query": {"task": {1}}}, wait_s=0)
    assert queues.waiting()["search"] == 0
    with pytest.raises(EspalierError, match="no such job"):
        result_of(queues, "search-none", wait_s=0)


def test_a_waiting_search_can_be_cancelled(site: Any, queues: Queues) -> None:
    job = queues.request_search(site.key, "search", {"query": {"task": 1}})
    assert queues.waiting()["search"] == 1
    assert queues.cancel(job).state == "cancelled"
    assert queues.waiting()["search"] == 0
    with pytest.raises(EspalierError, match="cancelled before it began"):
        result_of(queues, job, wait_s=0)
