"""What people read of a job's log: a sentence a line, the newest kept, nothing of the code."""

from __future__ import annotations

import logging

from espalier.jobs import job_log, progress
from espalier.jobs.job_log import MOST_LINES, JobLog
from espalier.jobs.progress import Progress
from espalier.jobs.queue import Queues


def test_what_is_logged_while_a_job_runs_is_its_own(queues: Queues) -> None:
    log = logging.getLogger("espalier.test_job_log")
    handler = JobLog(queues.redis)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        log.info("before any job")
        with progress.during(Progress(queues.redis, "one")):
            log.warning("task %d: it ends early", 7)
            log.error("it failed:\nTraceback (most recent call last): secret")
        with progress.during(Progress(queues.redis, "two")):
            log.info("another job")
    finally:
        log.removeHandler(handler)
    assert [what for _, what in job_log.read(queues.redis, "one")] == [
        "warning: task 7: it ends early",
        "error: it failed:",
    ]
    assert [what for _, what in job_log.read(queues.redis, "two")] == ["info: another job"]
    assert job_log.read(queues.redis, "three") == []


def test_the_newest_lines_are_kept(queues: Queues) -> None:
    for number in range(MOST_LINES + 5):
        job_log.add(queues.redis, "long", f"line {number}")
    lines = job_log.read(queues.redis, "long")
    assert len(lines) == MOST_LINES
    assert lines[-1][1] == f"line {MOST_LINES + 4}"
