"""What is known of a job: its state in words, and nothing of what had its id before."""

from __future__ import annotations

from espalier.jobs import job_status, progress
from espalier.jobs.queue import Queues

KEY = "1.1795197302"


def test_a_job_is_told_in_words(queues: Queues) -> None:
    job = queues.request_prediction(KEY, [{"id": 1, "data": {"image": "a.jpg"}}])
    assert queues.status(job).state == "queued"
    unknown = queues.status("nothing")
    assert unknown.state == "unknown"
    assert "no such job" in unknown.message
    assert queues.cancel("nothing").state == "unknown"
    queues.cancel(job)
    cancelled = queues.cancel(job)
    assert (cancelled.state, cancelled.message) == ("cancelled", "cancelled before it began")
    assert queues.waiting() == {"training": 0, "prediction": 0, "runs": 0, "tuning": 0, "search": 0}


def test_what_a_job_reports_is_its_status(queues: Queues) -> None:
    id = queues.request_prediction(KEY, [])
    progress.Progress(queues.redis, id).report(2, 8, "reading")
    assert job_status.read(queues.redis, id) == job_status.JobStatus(id, "queued", 2, 8, "reading")
    assert job_status.result(queues.redis, id) is None
    job_status.drop(queues.redis, id)
    assert job_status.read(queues.redis, id).state == "unknown"
    assert job_status.fetch(queues.redis, id) is None


def test_an_errand_that_was_cancelled_can_be_asked_for_again(queues: Queues) -> None:
    id = queues.request_errand(KEY, "storage", {}, id="errand-1")
    assert queues.cancel(id).state == "cancelled"
    assert queues.request_errand(KEY, "storage", {}, id="errand-1") == id
    assert queues.status(id) == job_status.JobStatus(id, "queued")
    assert not progress.read(queues.redis, id).cancelled, "or it would never begin"
