"""Reports: seldom written, never lost at the end, and the place where a job hears that it is not wanted."""

from __future__ import annotations

import threading
import time

import pytest

from espalier.errors import Cancelled
from espalier.jobs import progress
from espalier.jobs.progress import Progress, Requeue
from espalier.jobs.queue import Queues


def writes(queues: Queues) -> int:
    return int(queues.redis.info("commandstats").get("cmdstat_hset", {}).get("calls", 0))


def test_outside_a_job_nothing_happens() -> None:
    current = progress.current()
    current.report(1, 2, "working")
    current.make_way()
    assert current.job_id == ""


def test_the_current_one_is_that_of_the_job(queues: Queues) -> None:
    mine = Progress(queues.redis, "a")
    with progress.during(mine):
        assert progress.current() is mine
    assert progress.current() is not mine


def test_a_thousand_reports_are_a_few_writes_and_the_last_is_among_them(queues: Queues) -> None:
    job = Progress(queues.redis, "a")
    before, began = writes(queues), time.monotonic()
    for done in range(1001):
        job.report(done, 1000, "embedding")
    allowed = 3 + progress.WRITES_PER_S * (time.monotonic() - began)
    assert writes(queues) - before <= allowed
    reading = progress.read(queues.redis, "a")
    assert (reading.done, reading.total, reading.message) == (1000, 1000, "embedding")


def test_a_new_phase_is_told_at_once(queues: Queues) -> None:
    job = Progress(queues.redis, "a")
    job.report(0, 10, "embedding")
    job.report(0, 4, "fitting")
    assert progress.read(queues.redis, "a").message == "fitting"


def test_the_time_left_is_estimated_from_this_phase(queues: Queues) -> None:
    job = Progress(queues.redis, "a")
    job.report(40, 100, "embedding")
    assert progress.read(queues.redis, "a").eta_s is None
    time.sleep(0.4)
    job.report(60, 100, "embedding")
    eta_s = progress.read(queues.redis, "a").eta_s
    assert eta_s is not None
    assert 0.6 < eta_s < 1.6, "20 in 0.4 s, 40 to go"


def test_a_cancelled_job_hears_of_it_at_its_next_report(queues: Queues) -> None:
    job = Progress(queues.redis, "a")
    job.report(1, 100)
    progress.ask_to_stop(queues.redis, "a")
    with pytest.raises(Cancelled):  # noqa: PT012 (the next report that is written)
        for done in range(2, 100):
            job.report(done, 100)
            time.sleep(0.02)


def test_a_leaving_worker_stops_its_job_at_once(queues: Queues) -> None:
    wanted = True
    job = Progress(queues.redis, "a", may_go_on=lambda: wanted)
    job.report(1, 100)
    wanted = False
    with pytest.raises(Requeue):
        job.report(2, 100)


def test_long_jobs_make_way_for_urgent_ones(queues: Queues) -> None:
    waiting = False
    job = Progress(queues.redis, "a", others_wait=lambda: waiting)
    job.make_way()
    waiting = True
    with pytest.raises(Requeue):
        job.make_way()


def test_threads_share_one(queues: Queues) -> None:
    job = Progress(queues.redis, "a")

    def report() -> None:
        for done in range(200):
            job.report(done, 200)

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    job.report(200, 200)
    assert progress.read(queues.redis, "a").done == 200
