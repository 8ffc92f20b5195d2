"""Real worker processes: killed, stopped, cancelled, timed out; and what people read about their jobs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from subprocess import Popen
from typing import Protocol

import pytest
from rq.job import Job
from rq.serializers import JSONSerializer

from espalier.errors import BadRequest, LabelStudioDown
from espalier.jobs import job_log, presence, progress, recovery
from espalier.jobs.job_status import JobStatus
from espalier.jobs.progress import Requeue
from espalier.jobs.queue import OUTSTANDING, PATIENCE, Queues
from espalier.jobs.worker import Worker, work
from espalier.settings import Settings

KEY = "1.1795197302"

STEPS = """
import os, time
from pathlib import Path
from espalier.errors import BadMedia, LabelStudioDown
from espalier.jobs.progress import current

def note(word):
    with Path("notes").open("a") as notes:
        notes.write(f"{word} {os.getpid()}\\n")

def train(key):
    note("train")
    for done in range(200):
        current().report(done, 200, "fitting")
        time.sleep(0.02)
    note("trained")

def predict(key, tasks):
    note("predict")
    what = tasks[0] if tasks else ""
    if what == "broken":
        raise BadMedia("task 7: a.jpg cannot be read: it ends early")
    if what == "bug":
        raise ValueError("hunter2 was in here")
    if what == "down" and not Path("up").exists():
        raise LabelStudioDown("Label Studio at http://a does not answer")
    if what == "die":
        os.kill(os.getpid(), 9)
    if what == "exit":
        raise SystemExit(3)
    if what == "stuck":
        time.sleep(60)
    return len(tasks)

def run(id):
    note("run")
    while not Path("enough").exists():
        current().make_way()
        time.sleep(0.02)
"""


class StartWorker(Protocol):
    def __call__(self, *roles: str, burst: bool = False) -> Popen[bytes]: ...


@pytest.fixture(autouse=True)
def steps(tmp_path: Path) -> Callable[[], list[str]]:
    """Writes the steps; call it for the words that they have noted so far."""
    (tmp_path / "probe_steps.py").write_text(STEPS)
    notes = tmp_path / "notes"
    return lambda: [line.split()[0] for line in notes.read_text().splitlines()] if notes.exists() else []


def wait_for(queues: Queues, job: str, *states: str, within_s: float = 8) -> JobStatus:
    deadline = time.monotonic() + within_s
    while (status := queues.status(job)).state not in states:
        assert time.monotonic() < deadline, f"still {status}"
        time.sleep(0.02)
    return status


def wait_until(condition: Callable[[], bool], within_s: float = 8) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_burst_does_what_waits_and_ends(queues: Queues, start_worker: StartWorker) -> None:
    jobs = [queues.request_prediction(KEY, []) for _ in range(3)]
    assert start_worker("prediction", burst=True).wait(timeout=10) == 0
    assert [queues.status(job).state for job in jobs] == ["done"] * 3
    assert "began: predict 0 tasks" in job_log.read(queues.redis, jobs[0])[0][1]
    assert not queues.redis.exists(OUTSTANDING)
    assert queues.workers() == {}


def test_a_job_whose_worker_was_killed_is_done_again_at_once(
    queues: Queues, start_worker: StartWorker, steps: Callable[[], list[str]]
) -> None:
    first, second = queues.request_training(KEY), queues.request_training("2.5")
    killed = start_worker("training")
    wait_for(queues, first, "running")
    wait_until(lambda: steps() == ["train"])
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    began = time.monotonic()
    start_worker("training")
    wait_until(lambda: steps() == ["train", "train"])
    print(f"taken up again {time.monotonic() - began:.2f} s after the next worker's start")
    assert queues.status(first).state == "running", "it goes first"
    assert queues.status(second).state == "queued"
    assert len(queues.workers()) == 1
    wait_for(queues, first, "done")


def test_a_living_worker_takes_up_what_a_killed_one_left(queues: Queues, start_worker: StartWorker) -> None:
    killed = start_worker("training")
    job = queues.request_training(KEY)
    wait_for(queues, job, "running")
    start_worker("training")
    wait_until(lambda: len(queues.workers()) == 2)
    killed.kill()
    killed.wait()
    wait_until(lambda: queues.status(job).message == "fitting" and len(queues.workers()) == 1)
    wait_for(queues, job, "done")


def test_a_job_that_kills_its_workers_is_given_up(queues: Queues, start_worker: StartWorker) -> None:
    job = queues.request_prediction(KEY, ["die"])  # type: ignore[list-item]
    for _ in range(3):
        assert start_worker("prediction", burst=True).wait(timeout=10) == -signal.SIGKILL
    assert start_worker("prediction", burst=True).wait(timeout=10) == 0
    status = queues.status(job)
    assert status.state == "failed"
    assert "given up: the worker died 3 times" in status.message
    assert not queues.redis.exists(OUTSTANDING)


def test_a_stopped_worker_puts_its_job_back_and_ends_soon(queues: Queues, start_worker: StartWorker) -> None:
    worker = start_worker("training")
    job = queues.request_training(KEY)
    wait_for(queues, job, "running")
    wait_until(lambda: queues.status(job).done > 0)
    began = time.monotonic()
    worker.terminate()
    assert worker.wait(timeout=5) == 0
    assert time.monotonic() - began < 2
    assert queues.status(job).state == "queued"
    assert queues.waiting()["training"] == 1
    start_worker("training")
    wait_for(queues, job, "done")


def test_a_job_that_does_not_listen_is_put_back_by_a_second_signal(queues: Queues, start_worker: StartWorker) -> None:
    worker = start_worker("prediction")
    job = queues.request_prediction(KEY, ["stuck"])  # type: ignore[list-item]
    wait_for(queues, job, "running")
    worker.terminate()
    time.sleep(1.1)  # RQ takes two signals within a second for one
    worker.terminate()
    assert worker.wait(timeout=5) == 0
    assert queues.status(job).state == "queued"


def test_a_running_job_can_be_cancelled(
    queues: Queues, start_worker: StartWorker, steps: Callable[[], list[str]]
) -> None:
    start_worker("training")
    job = queues.request_training(KEY)
    wait_until(lambda: queues.status(job).done > 0)
    assert queues.cancel(job).message == "being cancelled"
    status = wait_for(queues, job, "cancelled")
    assert "cancelled by a person" in status.message
    assert steps() == ["train"]
    assert queues.cancel(job).state == "cancelled"
    wait_for(queues, queues.request_prediction(KEY, []), "queued")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("broken", "task 7: a.jpg cannot be read: it ends early"),
        ("bug", "failed unexpectedly (ValueError); the worker's log has the details under job"),
    ],
)
def test_failures_are_one_line_for_people_and_the_rest_is_in_the_log(
    queues: Queues, start_worker: StartWorker, tmp_path: Path, what: str, words: str
) -> None:
    job = queues.request_prediction(KEY, [what])  # type: ignore[list-item]
    start_worker("prediction", burst=True).wait(timeout=10)
    status = queues.status(job)
    assert status.state == "failed"
    assert status.message.startswith(words)
    assert "\n" not in status.message
    log = (tmp_path / "worker.log").read_text()
    assert ("Traceback" in log) == (what == "bug")
    kept = Job.fetch(job, connection=queues.redis, serializer=JSONSerializer)
    assert kept.latest_result() is None, "where RQ keeps a traceback, which tells what people sent"
    assert not queues.redis.hexists(kept.key, "exc_info")
    assert queues.prediction.failed_job_registry.get_job_ids() == [job]


def test_only_an_unreachable_label_studio_is_tried_again(
    queues: Queues, start_worker: StartWorker, tmp_path: Path, steps: Callable[[], list[str]]
) -> None:
    job = queues.request_prediction(KEY, ["down"])  # type: ignore[list-item]
    start_worker("prediction")
    wait_until(lambda: "tried again" in queues.status(job).message)
    assert queues.status(job).state == "queued"
    (tmp_path / "up").touch()
    queues.redis.zadd(queues.prediction.scheduled_job_registry.key, {job: time.time()}, xx=True)
    wait_for(queues, job, "done")
    assert steps() == ["predict", "predict"]


def test_a_job_may_not_take_longer_than_its_limit(queues: Queues, start_worker: StartWorker) -> None:
    id = queues.request_prediction(KEY, ["stuck"])  # type: ignore[list-item]
    queues.redis.hset(f"rq:job:{id}", "timeout", 1)
    start_worker("prediction", burst=True).wait(timeout=10)
    assert queues.status(id).message == "stopped: it took longer than its limit of 1 s"


def test_a_step_that_exits_does_not_take_its_worker_along_for_ever(queues: Queues, start_worker: StartWorker) -> None:
    job = queues.request_prediction(KEY, ["exit"])  # type: ignore[list-item]
    other = queues.request_prediction(KEY, [])
    start_worker("prediction", burst=True).wait(timeout=10)
    assert queues.status(job).state == "failed"
    assert queues.status(other).state == "done"


def test_a_run_makes_way_for_predictions(
    queues: Queues, start_worker: StartWorker, tmp_path: Path, steps: Callable[[], list[str]]
) -> None:
    run = queues.request_run("r1")
    start_worker("prediction")
    wait_until(lambda: steps() == ["run"])
    wait_for(queues, queues.request_prediction(KEY, []), "done")
    wait_until(lambda: steps() == ["run", "predict", "run"])
    (tmp_path / "enough").touch()
    wait_for(queues, run, "done")


def test_giving_way_costs_none_of_the_tries(queues: Queues) -> None:
    queues.request_push(KEY, "v1", [])
    taken = queues.prediction.get_jobs()[0]
    worker, waited = Worker(queues, [queues.prediction], "patient"), []
    for error in (Requeue("more urgent jobs go first"), Requeue("again"), *[LabelStudioDown("away")] * len(PATIENCE)):
        worker.handle_exception(taken, type(error), error, None)
        waited.append(taken.get_retry_interval())
        with queues.redis.pipeline() as pipeline:
            taken.retry(queues.prediction, pipeline)
            pipeline.execute()
        taken = Job.fetch(taken.id, connection=queues.redis, serializer=JSONSerializer)
    assert waited == [0, 0, *PATIENCE]
    assert not taken.should_retry


def test_a_job_cancelled_between_queue_and_worker_does_not_begin(queues: Queues) -> None:
    id = queues.request_training(KEY)
    worker = Worker(queues, [queues.training], "between")
    taken = worker.dequeue_job_and_maintain_ttl(1)
    progress.ask_to_stop(queues.redis, id)
    worker.execute_job(*taken)
    assert queues.status(id).message == "cancelled before it began"
    assert queues.status(id).state == "cancelled"
    assert not queues.redis.exists(OUTSTANDING, queues.training.intermediate_queue_key)


def test_what_a_dead_worker_of_another_machine_left_is_cleared(queues: Queues) -> None:
    id = queues.request_training(KEY)
    gone = Worker(queues, [queues.training], "training.otherhost.7.1")
    taken, queue = gone.dequeue_job_and_maintain_ttl(1)
    gone.prepare_job_execution(taken)
    execution = gone.prepare_execution(taken)
    queues.redis.delete(gone.key, execution.key)  # as they expire, the worker first
    assert recovery.recover(queues) == [id]
    assert queues.status(id).state == "queued"
    assert not queue.started_job_registry.get_job_ids(cleanup=False)
    assert not queues.redis.exists(gone.executions_key, queue.intermediate_queue_key)


def test_a_job_that_waits_for_its_next_try_is_left_in_peace(queues: Queues) -> None:
    id = queues.request_training(KEY)
    job, queue = Worker(queues, [queues.training], "between").dequeue_job_and_maintain_ttl(1)
    job.set_status("scheduled")
    assert recovery.recover(queues) == [], "RQ is about to say for when"
    queue.schedule_job(job, datetime.now(timezone.utc) + timedelta(hours=1))
    assert recovery.recover(queues) == []
    queues.redis.zadd(queue.scheduled_job_registry.key, {id: time.time()})
    assert recovery.recover(queues) == [id]
    assert queues.waiting()["training"] == 1


def test_a_job_lost_between_queue_and_worker_is_found(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "STRAY_S", 1)
    job = queues.request_training(KEY)
    assert queues.redis.lpop(queues.training.key)
    assert recovery.recover(queues) == [], "perhaps somebody is just starting it"
    time.sleep(1.2)
    assert recovery.recover(queues) == [job]
    assert queues.waiting()["training"] == 1
    assert recovery.recover(queues) == []


def test_a_killed_training_does_not_keep_its_project_locked(queues: Queues) -> None:
    id = queues.request_training(KEY)
    job = Job.fetch(id, connection=queues.redis, serializer=JSONSerializer)
    with progress.during(progress.Progress(queues.redis, id)):
        turn = queues.turn.alone(KEY)
        turn.__enter__()
        queues.let_go(job)
        with queues.turn.alone(KEY):
            pass
        turn.__exit__(None, None, None)


def test_workers_are_known_by_what_they_serve(queues: Queues, start_worker: StartWorker) -> None:
    start_worker("prediction")
    killed = start_worker("training")
    wait_until(lambda: len(queues.workers()) == 2)
    roles = sorted(map(sorted, queues.workers().values()))
    assert roles == [["prediction", "runs"], ["training"]]
    killed.kill()
    killed.wait()
    assert len(queues.workers()) == 1, "seen at once"


def test_a_process_id_used_again_is_not_the_same_worker(queues: Queues) -> None:
    mine = presence.own_name("training")
    assert not presence.is_dead(queues.redis, mine)
    assert presence.is_dead(queues.redis, mine.rpartition(".")[0] + ".1")
    elsewhere = f"training.otherhost.{os.getpid()}.1"
    assert presence.is_dead(queues.redis, elsewhere), "of other machines the heartbeat counts"
    queues.redis.hset(f"rq:worker:{elsewhere}", "queues", "espalier-training")
    assert not presence.is_dead(queues.redis, elsewhere)


def test_an_idle_worker_waits_longer_for_redis_than_for_a_job(queues: Queues) -> None:
    queues.redis.ping()  # a connection from before
    worker = Worker(queues, [queues.training], "patient")
    connection = queues.redis.connection_pool.get_connection()
    assert connection.socket_timeout > worker.dequeue_timeout
    queues.redis.connection_pool.release(connection)


def test_no_worker_is_called_that(data_settings: Settings) -> None:
    with pytest.raises(BadRequest, match="no worker is called 'learning'"):
        work(data_settings, ["learning"])
