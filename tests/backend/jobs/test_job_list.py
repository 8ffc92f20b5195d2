"""The jobs of all lines in one list: what runs, then what waits, then what ended, the newest first."""

from __future__ import annotations

from espalier.jobs.job_list import jobs
from espalier.jobs.queue import Queues

KEY = "1.1795197302"


def test_what_waits_is_listed_in_the_order_in_which_it_was_asked(queues: Queues) -> None:
    first = queues.request_run("abc")
    second = queues.request_prediction(KEY, [])
    listed = jobs(queues)
    assert [one.status.id for one in listed] == [first, second]
    assert [one.line for one in listed] == ["runs", "prediction"]
    assert all(one.status.state == "queued" and one.created_at and one.ended_at is None for one in listed)


def test_what_answered_a_request_is_left_out_once_it_is_over(queues: Queues) -> None:
    run, errand = queues.request_run("abc"), queues.request_errand(KEY, "storage", {})
    queues.cancel(run)
    queues.cancel(errand)
    assert [one.status.id for one in jobs(queues)] == [run]
    assert {one.status.id for one in jobs(queues, short=True)} == {run, errand}
    assert jobs(queues)[0].status.state == "cancelled"


def test_no_more_are_listed_than_were_asked_for(queues: Queues) -> None:
    for number in range(12):
        queues.request_run(f"r{number}")
    assert len(jobs(queues, most=5)) == 5
